using System.Globalization;
using System.Security.Claims;
using Gateway.Authentication;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Commands;

/// <summary>What the gateway would say of a token, its signature aside: the keys are its issuer's, and no call is made.</summary>
internal sealed record TokenVerdict
{
    /// <summary>The scheme that the token's <c>iss</c> belongs to; absent when it belongs to none.</summary>
    public string? Scheme { get; init; }

    public string? Issuer { get; init; }

    /// <summary>Everything that the token fails by; empty when it is good, if its signature is.</summary>
    public required IReadOnlyList<string> Failures { get; init; }

    public string Signature { get; } = "not checked: its keys are the issuer's, and no call is made";

    /// <summary>Each thing that the route's policy asks for, and whether the token's caller has it.</summary>
    public IReadOnlyList<RequirementVerdict> Requirements { get; init; } = [];

    /// <summary>The caller whom the token names, good or not; null when it names none that the scheme accepts.</summary>
    internal ClaimsPrincipal? Caller { get; init; }

    /// <summary>Judges the token of a request by the options of its own scheme.</summary>
    public static async Task<TokenVerdict> OfAsync(HttpContext context)
    {
        var services = context.RequestServices;
        var token = BearerToken.Of(context.Request);
        if (token is null || BearerToken.ClaimedIssuer(token.Value.Span) is not { } issuer) return new() { Failures = ["it is no token with one issuer in it"] };

        if (services.GetRequiredService<IssuerSchemes>().Find(issuer) is not { } name) return new() { Issuer = issuer, Failures = ["the issuer is none of any scheme's"] };

        var scheme = (await services.GetRequiredService<IAuthenticationSchemeProvider>().GetSchemeAsync(name))!;
        var options = services.GetRequiredService<IOptionsMonitor<JwtBearerOptions>>().Get(scheme.Name);
        var (caller, failures) = await KeylessCheck.OfAsync(context, scheme, options, token.Value.ToString());
        return new() { Scheme = scheme.Name, Issuer = issuer, Failures = [.. failures.Select(failure => Text(failure, options.TokenValidationParameters))], Caller = caller };
    }

    private static string Text(Exception failure, TokenValidationParameters parameters) => failure switch
    {
        SecurityTokenInvalidAlgorithmException => $"the algorithm is not one of {string.Join(", ", parameters.ValidAlgorithms)}",
        SecurityTokenInvalidAudienceException => $"the audience is not one of {string.Join(", ", parameters.ValidAudiences)}",
        SecurityTokenNoExpirationException => "it never expires",
        SecurityTokenExpiredException expired => $"it has expired at {Text(expired.Expires)}",
        SecurityTokenNotYetValidException early => $"it is not valid before {Text(early.NotBefore)}",
        SecurityTokenInvalidLifetimeException => "it ends before it begins",
        // The gateway's own words, and Microsoft.Identity.Web's for a token without scope or role.
        AuthenticationFailureException or UnauthorizedAccessException => failure.Message,
        // Other messages can hold the token.
        _ => "it cannot be read",
    };

    private static string Text(DateTime? time) => time?.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "";
}

/// <summary>One thing that a policy asks for.</summary>
internal sealed record RequirementVerdict(string Requirement, bool Met);
