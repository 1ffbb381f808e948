using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Authentication;

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
