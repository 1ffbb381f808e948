using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.OutputCaching;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace IotCredentials.Http;

/// <summary>
/// Finds middleware of the host's pipeline that ran before the request had an endpoint, or not at all, and so could not heed the metadata of a module route.
/// </summary>
internal static class PipelineOrder
{
    /// <summary>The problem and its remedy; null if the request may be served.</summary>
    public static string? ProblemOf(HttpContext context, Endpoint endpoint) => IsStored(context)
        ? "the output cache would give its response to other callers. "
            + "Write app.UseOutputCache() after app.UseRouting(), and give the route no OutputCacheAttribute"
        : IsTimeoutIgnored(context, endpoint) ? "nothing applies its timeout. Write app.UseRequestTimeouts() after app.UseRouting()"
        : null;

    // The middleware captures the response body if its policies have set both. They may allow the storage again after the response, whatever is set here.
    private static bool IsStored(HttpContext context) =>
        context.Features.Get<IOutputCacheFeature>() is { Context: { EnableOutputCaching: true, AllowCacheStorage: true } };

    // The check that YARP makes for the routes that it forwards. The middleware sets no feature while a debugger is attached.
    private static bool IsTimeoutIgnored(HttpContext context, Endpoint endpoint)
    {
        if (endpoint.Metadata.GetMetadata<RequestTimeoutAttribute>() is not { } route || context.Features.Get<IHttpRequestTimeoutFeature>() is not null
            || endpoint.Metadata.GetMetadata<DisableRequestTimeoutAttribute>() is not null
            || context.RequestAborted.IsCancellationRequested || Debugger.IsAttached) return false;
        var timeout = route.PolicyName is not { } policy ? route.Timeout
            : context.RequestServices.GetRequiredService<IOptions<RequestTimeoutOptions>>().Value.Policies.TryGetValue(policy, out var named) ? named.Timeout
            : null;
        return timeout is not null && timeout != Timeout.InfiniteTimeSpan;
    }
}
