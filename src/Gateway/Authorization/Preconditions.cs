using System.Security.Claims;
using Gateway.Authentication;
using Gateway.Networking;
using IotCredentials.Http;

namespace Gateway.Authorization;

/// <summary>What a request must meet beside its route's policy.</summary>
internal static class Preconditions
{
    /// <summary>The status of the first precondition of the endpoint that the request does not meet (405, 422); null when it meets all.</summary>
    public static int? RefusalOf(HttpContext context, Endpoint endpoint)
    {
        var rules = endpoint.Metadata.GetOrderedMetadata<IRequestPrecondition>();
        for (var i = 0; i < rules.Count; i++)
        {
            if (rules[i].Check(context) is { } refusal) return refusal;
        }

        return null;
    }

    /// <summary>Whether the caller's API key may only be used from other addresses. The key is known, so this is no 401.</summary>
    public static bool IsElsewhere(HttpContext context, ClaimsPrincipal user) =>
        CallerIdentity.Of(user) is { IpAllow: { } allowed } && !AddressList.Contains(allowed, context.Connection.RemoteIpAddress);
}
