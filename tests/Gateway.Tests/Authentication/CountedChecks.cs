using Gateway.Authentication.Keys;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.DependencyInjection;
using Testing;

namespace Gateway.Tests.Authentication;

/// <summary>The keys of a running gateway's issuers.</summary>
internal static class RunningKeys
{
    public static IssuerKeys KeysOf(this RunningGateway gateway, string scheme) => gateway.Services.GetRequiredService<KeySources>().Find(scheme)!;

    /// <summary>Sends a token, and again after a fetch of the keys if it is 503: others of an unknown key may have caused a fetch a moment ago.</summary>
    public static async Task<Response> SendUntilJudgedAsync(this RunningGateway gateway, string path, string token, params string[] schemes)
    {
        var response = await gateway.SendAsync(path, token);
        if (response.Status != 503) return response;
        foreach (var scheme in schemes) await gateway.KeysOf(scheme).FetchAsync();
        return await gateway.SendAsync(path, token);
    }
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
