using Gateway.Forwarding;
using IotCredentials.Http;

namespace Gateway.Logs;

/// <summary>Why the gateway refused or failed a request, in a word of a bounded set that docs/access-log.md lists.</summary>
internal static class RequestReason
{
    /// <summary>The word for a client that disconnected before the response began.</summary>
    public const string ClientLeft = "client_left";

    /// <summary>The reason; null for a request that was served, also with a service's own error response.</summary>
    public static string? Of(HttpContext context, int status)
    {
        if (status == StatusCodes.Status499ClientClosedRequest && !context.Response.HasStarted) return ClientLeft;
        var ours = context.Features.Get<ErrorReason>();
        if (ours is { Word.Length: > 0 }) return ours.Word;
        if (ForwardingErrors.ReasonOf(context, hasResponse: ours is null) is { } failure) return failure;
        if (ours is null) return null;
        return status switch
        {
            StatusCodes.Status400BadRequest => "bad_request",
            StatusCodes.Status404NotFound => "no_route",
            StatusCodes.Status405MethodNotAllowed => "method",
            StatusCodes.Status408RequestTimeout => "request_timeout",
            StatusCodes.Status413PayloadTooLarge => "body_too_large",
            StatusCodes.Status431RequestHeaderFieldsTooLarge => "headers_too_large",
            StatusCodes.Status504GatewayTimeout => "timeout",
            StatusCodes.Status500InternalServerError => "internal",
            _ => "other",
        };
    }
}
