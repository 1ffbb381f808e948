using Gateway.Authentication.Keys;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.DependencyInjection;
using Testing;

namespace Gateway.Tests.Authentication;

/// <summary>The keys of a running gateway's issuers.</summary>
internal static class RunningKeys
{
    public static IssuerKeys KeysOf(this RunningGateway gateway, string scheme) => gateway.Services.GetRequiredService<KeySources>().Find(scheme)!;
}

/// <summary>Tells of every token that the scheme <c>Platform</c> is given to check.</summary>
internal static class CountedChecks
{
    public static void CountChecks(this IServiceCollection services, Action count) => services.PostConfigure<JwtBearerOptions>("Platform", bearer =>
    {
        var received = bearer.Events.OnMessageReceived;
        bearer.Events.OnMessageReceived = context =>
        {
            count();
            return received(context);
        };
    });
}
