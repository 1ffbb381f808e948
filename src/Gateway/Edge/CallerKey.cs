using Gateway.Authentication;
using Gateway.Networking;

namespace Gateway.Edge;

/// <summary>A unique key for each caller: the issuer and its subject, or the client address if the caller is not authenticated.</summary>
internal static class CallerKey
{
    public static string Of(HttpContext context) => CallerIdentity.Of(context.User)?.Key ?? ClientAddress.Of(context);
}
