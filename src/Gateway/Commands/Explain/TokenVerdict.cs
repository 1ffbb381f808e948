using System.Security.Claims;
using Gateway.Authentication;
using Gateway.Authentication.Keys;
using Gateway.Telemetry;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Commands.Explain;

/// <summary>The gateway's judgment of a token, apart from its signature: that needs the issuer's keys, and no call is made.</summary>
internal sealed record TokenVerdict
{
    /// <summary>The scheme that matches the token's <c>iss</c>. Absent when no scheme matches.</summary>
    public string? Scheme { get; init; }

    public string? Issuer { get; init; }

    /// <summary>The reasons why the token is invalid. Empty when it is valid apart from its signature, which is not checked.</summary>
    public required IReadOnlyList<string> Failures { get; init; }

    public string Signature { get; } = "not checked: that needs the issuer's keys, and no call is made";

    /// <summary>The requirements of the route's policy, each with whether the token's caller meets it.</summary>
    public IReadOnlyList<RequirementVerdict> Requirements { get; init; } = [];

    /// <summary>The token's caller, whether the token is valid or not. Null when the token identifies no caller that the scheme accepts.</summary>
    internal ClaimsPrincipal? Caller { get; init; }

    /// <summary>Judges a request's token by the options of the scheme that matches its issuer.</summary>
    public static async Task<TokenVerdict> OfAsync(HttpContext context)
    {
        var services = context.RequestServices;
        var token = BearerToken.Of(context.Request);
        if (token is null || BearerToken.ClaimedIssuer(token.Value.Span) is not { } issuer)
            return new() { Failures = [IsEncrypted(token) ? "it is encrypted, so only its issuer can read it" : "it is not a JWT with exactly one iss claim"] };

        if (services.GetRequiredService<IssuerSchemes>().Find(issuer) is not { } name)
            return new() { Issuer = issuer, Failures = ["no scheme is configured for its issuer"] };

        var scheme = (await services.GetRequiredService<IAuthenticationSchemeProvider>().GetSchemeAsync(name))!;
        var options = services.GetRequiredService<IOptionsMonitor<JwtBearerOptions>>().Get(scheme.Name);
        var (caller, failures) = await KeylessCheck.OfAsync(context, scheme, options, token.Value.ToString());
        return new()
        {
            Scheme = scheme.Name,
            Issuer = issuer,
            Failures = [.. failures.Select(failure => Text(failure, options.TokenValidationParameters))],
            Caller = caller,
        };
    }

    // An encrypted token (JWE, RFC 7516) has five parts.
    private static bool IsEncrypted(ReadOnlyMemory<char>? token) => token is { } sent && sent.Span.Count('.') == 4;

    private static string Text(Exception failure, TokenValidationParameters parameters) => failure switch
    {
        SecurityTokenInvalidAlgorithmException => $"the algorithm is not one of {string.Join(", ", parameters.ValidAlgorithms)}",
        SecurityTokenInvalidAudienceException => $"the audience is not one of {string.Join(", ", parameters.ValidAudiences)}",
        SecurityTokenNoExpirationException => "it never expires",
        SecurityTokenExpiredException expired => $"it expired at {Text(expired.Expires)}",
        SecurityTokenNotYetValidException early => $"it is not valid before {Text(early.NotBefore)}",
        SecurityTokenInvalidLifetimeException => "it expires before it becomes valid",
        // These messages come from the gateway, or from Microsoft.Identity.Web for a token without scope or role.
        AuthenticationFailureException or UnauthorizedAccessException => failure.Message,
        // Other messages can contain the token.
        _ => "it cannot be read",
    };

    private static string Text(DateTime? time) => time is { } at ? UtcTime.Seconds(at) : "";
}

/// <summary>One requirement of a policy.</summary>
internal sealed record RequirementVerdict(string Requirement, bool Met);
