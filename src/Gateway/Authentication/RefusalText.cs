using Gateway.Telemetry;
using Microsoft.AspNetCore.Authentication;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Authentication;

/// <summary>Why a token was refused, in words that hold nothing of the token but its times.</summary>
internal static class RefusalText
{
    public const string UnknownIssuer = "no scheme is configured for its issuer";

    public const string Unreadable = "it cannot be read";

    public const string SentTwice = "it was sent more than once";

    public const string SentTogether = "it came together with an API key";

    // An encrypted token (JWE, RFC 7516) has five parts.
    private const string Encrypted = "it is encrypted, so only its issuer can read it";

    private const string WithoutOneIssuer = "it is not a JWT with exactly one iss claim";

    /// <summary>Why a token that names no issuer is refused.</summary>
    public static string WithoutIssuer(ReadOnlySpan<char> token) => token.Count('.') == 4 ? Encrypted : WithoutOneIssuer;

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
        SecurityTokenInvalidIssuerException => "its issuer does not match the scheme's",
        SecurityTokenSignatureKeyNotFoundException => "no key of its issuer fits its key id and algorithm",
        SecurityTokenInvalidSignatureException => "its signature does not verify under its issuer's keys",
        // These messages come from the gateway, or from Microsoft.Identity.Web for a token without scope or role.
        AuthenticationFailureException or UnauthorizedAccessException or IntrospectionRefusal => failure.Message,
        // Other messages can contain the token.
        _ => Unreadable,
    };

    /// <summary>The same in a word, for the access log and metrics.</summary>
    public static string WordOf(Exception failure) => failure switch
    {
        RepeatedRefusal repeated => repeated.Word,
        SecurityTokenInvalidAlgorithmException => GatewayReason.Algorithm,
        SecurityTokenInvalidAudienceException => GatewayReason.Audience,
        SecurityTokenExpiredException => GatewayReason.TokenExpired,
        SecurityTokenNotYetValidException => GatewayReason.TokenNotYetValid,
        SecurityTokenNoExpirationException or SecurityTokenInvalidLifetimeException => GatewayReason.TokenLifetime,
        SecurityTokenInvalidIssuerException => GatewayReason.Issuer,
        SecurityTokenSignatureKeyNotFoundException => GatewayReason.SigningKey,
        SecurityTokenInvalidSignatureException => GatewayReason.Signature,
        IntrospectionRefusal => GatewayReason.Introspection,
        AuthenticationFailureException => WordOf(failure.Message),
        UnauthorizedAccessException => GatewayReason.TokenClaims,
        _ => GatewayReason.TokenUnreadable,
    };

    /// <param name="message">One of the gateway's own.</param>
    public static string WordOf(string message) => message switch
    {
        UnknownIssuer => GatewayReason.Issuer,
        BearerAuthentication.UnknownKey => GatewayReason.SigningKey,
        Unreadable or Encrypted or WithoutOneIssuer => GatewayReason.TokenUnreadable,
        SentTwice or SentTogether => GatewayReason.Ambiguous,
        ApiKeyAuthentication.Expired => GatewayReason.ApiKeyExpired,
        ApiKeyAuthentication.Malformed or ApiKeyAuthentication.Unknown => GatewayReason.ApiKey,
        IntrospectionAuthentication.Malformed => GatewayReason.Introspection,
        // The ordinary log says which claim is missing or wrong.
        _ => GatewayReason.TokenClaims,
    };

    private static string List(IEnumerable<string>? names) => string.Join(", ", names ?? []);

    private static string Text(DateTime? time) => time is { } at ? UtcTime.Seconds(at) : "";
}
