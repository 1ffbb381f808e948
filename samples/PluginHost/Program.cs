using IotCredentials;
using Microsoft.AspNetCore.Authorization;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddAuthentication().AddJwtBearer();
builder.Services.AddAuthorizationBuilder().AddPolicy("Members", policy => policy.RequireAuthenticatedUser());
builder.Services.AddSingleton<IAuthorizationHandler, Membership>();
builder.Services.AddReverseProxy()
    .LoadFromConfig(builder.Configuration.GetSection("ReverseProxy"))
    .AddIotCredentials(builder.Configuration.GetSection("IotCredentials"));

var app = builder.Build();
app.MapGet("/hello", () => "The host's own API.");
app.MapReverseProxy().MapIotCredentials();
app.Run();

internal sealed class Membership : AuthorizationHandler<OrganizationAccessRequirement, OrganizationId>
{
    protected override Task HandleRequirementAsync(
        AuthorizationHandlerContext context, OrganizationAccessRequirement requirement, OrganizationId organization)
    {
        if (context.User.HasClaim("organizations", organization.Value)) context.Succeed(requirement);
        return Task.CompletedTask;
    }
}
