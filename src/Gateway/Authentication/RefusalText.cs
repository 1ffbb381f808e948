using Gateway.Telemetry;
using Microsoft.AspNetCore.Authentication;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Authentication;

/// <summary>Why a token was refused, in words that hold nothing of the token but its times.</summary>
internal static class RefusalText
{
    /// <param name="failure">What its check failed by.</param>
    /// <param name="parameters">The scheme's parameters; null when no scheme takes the token.</param>
    public static string Of(Exception failure, TokenValidationParameters? parameters) => failure switch
    {
        SecurityTokenInvalidAlgorithmException => $"the algorithm is not one of {List(parameters?.ValidAlgorithms)}",
        SecurityTokenInvalidAudienceException => $"the audience is not one of {List(parameters?.ValidAudiences)}",
        SecurityTokenNoExpirationException => "it never expires",
        SecurityTokenExpiredException expired => $"it expired at {Text(expired.Expires)}",
        SecurityTokenNotYetValidException early => $"it is not valid before {Text(early.NotBefore)}",
        SecurityTokenInvalidLifetimeException => "it expires before it becomes valid",
        SecurityTokenInvalidIssuerException => "its issuer is none of the scheme's",
        SecurityTokenSignatureKeyNotFoundException => "no key of its issuer fits its key id and algorithm",
        SecurityTokenInvalidSignatureException => "its signature does not verify under its issuer's keys",
        // These messages come from the gateway, or from Microsoft.Identity.Web for a token without scope or role.
        AuthenticationFailureException or UnauthorizedAccessException or IntrospectionRefusal => failure.Message,
        // Other messages can contain the token.
        _ => "it cannot be read",
    };

    private static string List(IEnumerable<string>? names) => string.Join(", ", names ?? []);

    private static string Text(DateTime? time) => time is { } at ? UtcTime.Seconds(at) : "";
}
