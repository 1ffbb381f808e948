using Gateway.Authentication;
using Gateway.Networking;

namespace Gateway.Edge;

/// <summary>A unique key for each caller: the issuer and its subject, or the client address if the caller is not authenticated.</summary>
internal static class CallerKey
{
    // An issuer contains no line feed, so no two callers share a key.
    public static string Of(HttpContext context) =>
        CallerIdentity.Of(context.User) is { } caller ? $"{caller.Issuer}\n{caller.Subject}" : ClientAddress.Of(context);
}
