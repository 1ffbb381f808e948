using Gateway.Authentication;

namespace Gateway.Edge;

/// <summary>One text for each caller: the issuer and its subject, or the client address where nobody was authenticated.</summary>
internal static class CallerKey
{
    // An issuer holds no line feed, so no two callers share a key.
    public static string Of(HttpContext context) =>
        CallerIdentity.Of(context.User) is { } caller ? $"{caller.Issuer}\n{caller.Subject}" : ClientAddress.Of(context);
}
