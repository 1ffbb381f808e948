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
        SecurityTokenInvalidAlgorithmException => "algorithm",
        SecurityTokenInvalidAudienceException => "audience",
        SecurityTokenExpiredException => "token_expired",
        SecurityTokenNotYetValidException => "token_not_yet_valid",
        SecurityTokenNoExpirationException or SecurityTokenInvalidLifetimeException => "token_lifetime",
        SecurityTokenInvalidIssuerException => "issuer",
        SecurityTokenSignatureKeyNotFoundException => "signing_key",
        SecurityTokenInvalidSignatureException => "signature",
        IntrospectionRefusal => "introspection",
        AuthenticationFailureException => WordOf(failure.Message),
        UnauthorizedAccessException => "token_claims",
        _ => "token_unreadable",
    };

    /// <param name="message">One of the gateway's own.</param>
    public static string WordOf(string message) => message switch
    {
        UnknownIssuer => "issuer",
        BearerAuthentication.UnknownKey => "signing_key",
        Unreadable or Encrypted or WithoutOneIssuer => "token_unreadable",
        SentTwice or SentTogether => "ambiguous",
        ApiKeyAuthentication.Expired => "api_key_expired",
        ApiKeyAuthentication.Malformed or ApiKeyAuthentication.Unknown => "api_key",
        IntrospectionAuthentication.Malformed => "introspection",
        // The ordinary log says which claim is missing or wrong.
        _ => "token_claims",
    };

    private static string List(IEnumerable<string>? names) => string.Join(", ", names ?? []);

    private static string Text(DateTime? time) => time is { } at ? UtcTime.Seconds(at) : "";
}
