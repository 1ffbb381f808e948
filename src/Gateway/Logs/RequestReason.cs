using Gateway.Forwarding;
using Gateway.Telemetry;
using IotCredentials.Http;

namespace Gateway.Logs;

/// <summary>Why the gateway refused or failed a request, in a word of a bounded set that docs/access-log.md lists.</summary>
internal static class RequestReason
{
    /// <summary>The reason; null for a request that was served, also with a service's own error response.</summary>
    public static string? Of(HttpContext context, int status)
    {
        if (status == StatusCodes.Status499ClientClosedRequest && !context.Response.HasStarted) return GatewayReason.ClientLeft;
        var ours = context.Features.Get<ErrorReason>();
        if (ours is { Word.Length: > 0 }) return ours.Word;
        if (ForwardingErrors.ReasonOf(context, hasResponse: ours is null) is { } failure) return failure;
        if (ours is null) return null;
        return status switch
        {
            StatusCodes.Status400BadRequest => GatewayReason.BadRequest,
            StatusCodes.Status404NotFound => GatewayReason.NoRoute,
            StatusCodes.Status405MethodNotAllowed => ErrorReason.Method,
            StatusCodes.Status408RequestTimeout => GatewayReason.RequestTimeout,
            StatusCodes.Status413PayloadTooLarge => GatewayReason.BodyTooLarge,
            StatusCodes.Status431RequestHeaderFieldsTooLarge => GatewayReason.HeadersTooLarge,
            StatusCodes.Status504GatewayTimeout => GatewayReason.Timeout,
            StatusCodes.Status500InternalServerError => GatewayReason.Internal,
            _ => GatewayReason.Other,
        };
    }
}
