using System.Security.Claims;
using Gateway.Authentication;
using Gateway.Authentication.Keys;
using Gateway.Configuration;
using Gateway.Telemetry;
using IotCredentials.Http;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;

namespace Gateway.Explanations;

/// <summary>
/// The gateway's judgment of a token, apart from its signature, or of an API key. No call is made, neither to an issuer nor for introspection.
/// </summary>
internal sealed record TokenVerdict
{
    /// <summary>The scheme that matches the token's <c>iss</c>. Absent when no scheme matches.</summary>
    public string? Scheme { get; init; }

    public string? Issuer { get; init; }

    /// <summary>The reasons why the token is invalid. Empty when it is valid apart from its signature, which is not checked.</summary>
    public required IReadOnlyList<string> Failures { get; init; }

    /// <summary>The word for the first failure.</summary>
    internal string Reason { get; private init; } = "";

    public string Signature { get; init; } = "not checked: that needs the issuer's keys, and no call is made";

    /// <summary>The requirements of the route's policy, each with whether the token's caller meets it.</summary>
    public IReadOnlyList<RequirementVerdict> Requirements { get; init; } = [];

    /// <summary>Whether an API key was judged.</summary>
    internal bool IsKey { get; private init; }

    internal string Noun => IsKey ? "API key" : "token";

    /// <summary>The token's caller, whether the token is valid or not. Null when the token identifies no caller that the scheme accepts.</summary>
    internal ClaimsPrincipal? Caller { get; init; }

    /// <summary>Judges an API key.</summary>
    public static TokenVerdict OfKey(IServiceProvider services, string text)
    {
        var keys = services.GetRequiredService<ApiKeyTable>();
        if (keys.Header is null) return Failed("no API keys are accepted: Authentication:ApiKeys is absent", ErrorReason.NoToken);
        if (!ApiKeyText.IsWellFormed(text)) return Failed(ApiKeyAuthentication.Malformed, GatewayReason.ApiKey);
        if (keys.Find(text) is not { } key)
            return services.GetService<IntrospectionAuthentication>()?.Takes(IntrospectedKind.ApiKey) == true
                ? Introspected(isKey: true)
                : Failed(ApiKeyAuthentication.Unknown, GatewayReason.ApiKey);
        return new()
        {
            Scheme = ApiKey.Scheme,
            Issuer = ApiKey.Issuer,
            Failures = keys.HasExpired(key) ? [ApiKeyAuthentication.Expired] : [],
            Reason = GatewayReason.ApiKeyExpired,
            Signature = $"its hash is that of {Finding.Quote(key.Name)}",
            Caller = keys.ResultOf(key).Result.Principal,
            IsKey = true,
        };

        static TokenVerdict Failed(string why, string reason) =>
            new() { Scheme = ApiKey.Scheme, Failures = [why], Reason = reason, Signature = "none", IsKey = true };
    }

    private static TokenVerdict Introspected(bool isKey) => new()
    {
        Scheme = IntrospectionAuthentication.Scheme,
        Failures = [],
        Signature = "not checked: the introspection endpoint would be asked, and no call is made",
        IsKey = isKey,
    };

    /// <summary>Judges a request's token by the options of the scheme that matches its issuer.</summary>
    public static async Task<TokenVerdict> OfAsync(HttpContext context)
    {
        var services = context.RequestServices;
        var token = BearerToken.Of(context.Request);
        if (token is { } opaque && !BearerToken.IsJsonWebToken(opaque.Span)
            && services.GetService<IntrospectionAuthentication>()?.Takes(IntrospectedKind.Bearer) == true)
        {
            return IntrospectionAuthentication.IsWellFormed(IntrospectedKind.Bearer, opaque.Span)
                ? Introspected(isKey: false)
                : Failed(IntrospectionAuthentication.Malformed);
        }

        if (token is null || BearerToken.ClaimedIssuer(token.Value.Span) is not { } issuer)
            return Failed(RefusalText.WithoutIssuer(token is { } unread ? unread.Span : default));

        if (services.GetRequiredService<IssuerSchemes>().Find(issuer) is not { } name)
            return Failed(RefusalText.UnknownIssuer) with { Issuer = issuer };

        var scheme = (await services.GetRequiredService<IAuthenticationSchemeProvider>().GetSchemeAsync(name))!;
        var options = services.GetRequiredService<IOptionsMonitor<JwtBearerOptions>>().Get(scheme.Name);
        var (caller, failures) = await KeylessCheck.OfAsync(context, scheme, options, token.Value.ToString());
        return new()
        {
            Scheme = scheme.Name,
            Issuer = issuer,
            Failures = [.. failures.Select(failure => RefusalText.Of(failure, options.TokenValidationParameters))],
            Reason = failures.Select(RefusalText.WordOf).FirstOrDefault(""),
            Caller = caller,
        };

        static TokenVerdict Failed(string message) => new() { Failures = [message], Reason = RefusalText.WordOf(message) };
    }
}

/// <summary>One requirement of a policy.</summary>
internal sealed record RequirementVerdict(string Requirement, bool Met)
{
    /// <summary>The word for a caller that does not meet it.</summary>
    internal string Reason { get; init; } = "";
}
