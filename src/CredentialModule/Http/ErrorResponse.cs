using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace IotCredentials.Http;

/// <summary>The format of all error responses made here: <c>{"error","message"}</c>. It contains the contract's texts and nothing else.</summary>
public static class ErrorResponse
{
    private const long LeastSpread = 2;
    private const long MostSpread = 30;

    private static readonly Dictionary<int, byte[]> s_bodies = new()
    {
        [400] = Body("BadRequest", "The request cannot be understood."),
        [401] = Body("Unauthenticated", "Authentication is required and has failed or has not yet been provided."),
        [403] = Body("Forbidden", "Access to the requested resource is forbidden."),
        [404] = Body("NotFound", "The requested resource does not exist."),
        [405] = Body("MethodNotAllowed", "The method is not allowed for the requested resource."),
        [408] = Body("RequestTimeout", "The request did not arrive in time."),
        [413] = Body("PayloadTooLarge", "The request body is too large."),
        [421] = Body("MisdirectedRequest", "The host of the request needs a connection of its own."),
        [422] = Body("ValidationError", "Input data validation failed."),
        [429] = Body("TooManyRequests", "Too many requests have been sent."),
        [431] = Body("RequestHeaderFieldsTooLarge", "The headers of the request are too large."),
        [500] = Body("InternalServerError", "The request could not be completed."),
        [502] = Body("BadGateway", "The service behind the gateway gave no usable answer."),
        [503] = Body("ServiceUnavailable", "The service is temporarily unavailable."),
        [504] = Body("GatewayTimeout", "The service behind the gateway did not answer in time."),
        [508] = Body("LoopDetected", "The request has come back to a gateway that it went through before."),
    };

    /// <summary>Whether there is a body for a status.</summary>
    public static bool Has(int status) => s_bodies.ContainsKey(status);

    /// <summary>Writes the response: status, headers and body. Unless the request has an <see cref="ErrorReason"/>, it gets one without a word.</summary>
    /// <param name="context">The request, whose response has not started.</param>
    /// <param name="status">A status that has a body.</param>
    public static Task WriteAsync(HttpContext context, int status)
    {
        var body = s_bodies[status];
        var response = context.Response;
        if (context.Features.Get<ErrorReason>() is null) ErrorReason.Set(context, "");
        response.StatusCode = status;
        response.ContentType = "application/json";
        response.Headers.CacheControl = "no-store";
        response.Headers.XContentTypeOptions = "nosniff";
        response.ContentLength = body.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    /// <summary>Writes the response, and sets the request's <see cref="ErrorReason"/>.</summary>
    /// <param name="context">The request, whose response has not started.</param>
    /// <param name="status">A status that has a body.</param>
    /// <param name="reason">The reason.</param>
    public static Task WriteAsync(HttpContext context, int status, string reason)
    {
        ErrorReason.Set(context, reason);
        return WriteAsync(context, status);
    }

    /// <summary>
    /// Sets <c>Retry-After</c>: the wait in whole seconds, and a random time more, up to a quarter of the wait but at least 2 and at most 30 seconds. Without
    /// it, callers that were refused together would come back together.
    /// </summary>
    /// <param name="response">The response, which has not started.</param>
    /// <param name="wait">The time after which the request may succeed.</param>
    public static void SetRetryAfter(HttpResponse response, TimeSpan wait)
    {
        var seconds = (long)Math.Max(1, Math.Ceiling(wait.TotalSeconds));
        seconds += Random.Shared.NextInt64(Math.Clamp(seconds / 4, LeastSpread, MostSpread) + 1);
        response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
    }

    private static byte[] Body(string error, string message) =>
        JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string> { ["error"] = error, ["message"] = message });
}
