using System.Text;
using Gateway.Telemetry;
using IotCredentials.Http;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Forwarding.Targets;

/// <summary>
/// Sends path and query on as the client wrote them, byte for byte. YARP would decode the path and encode it again by other rules than the client's, and so
/// would <see cref="Uri"/>. Transforms change only their own part: the rest keeps its encoding.
/// </summary>
internal sealed class ForwardedTargets : ITransformProvider
{
    private static readonly UriCreationOptions s_asWritten = new() { DangerousDisablePathAndQueryCanonicalization = true };

    public void ValidateRoute(TransformRouteValidationContext context) { }

    public void ValidateCluster(TransformClusterValidationContext context) { }

    public void Apply(TransformBuilderContext context)
    {
        // YARP has validated and built its own path transforms. PathSteps replaces them.
        foreach (var transform in context.RequestTransforms.Where(static transform => transform is PathStringTransform or PathRouteValuesTransform).ToArray())
            context.RequestTransforms.Remove(transform);
        var steps = PathSteps.Of(context.Route);
        var changesQuery = context.RequestTransforms.Any(static transform => transform is QueryParameterTransform or QueryParameterRemoveTransform);
        context.AddRequestTransform(transform =>
        {
            var request = transform.HttpContext.Request;
            var path = SentPath.Of(transform.HttpContext);
            foreach (var step in steps)
            {
                if (step(request, path) is not { } changed)
                    return new ValueTask(ErrorResponse.WriteAsync(transform.HttpContext, StatusCodes.Status400BadRequest, GatewayReason.Path));
                path = changed;
            }

            transform.ProxyRequest.RequestUri = Address(transform.DestinationPrefix, path, changesQuery ? ChangedQuery(transform) : request.QueryString.Value);
            return default;
        });
    }

    private static Uri Address(string destination, string path, string? query)
    {
        // The destination's address is put before the target unchanged. It must be plain ASCII like the target, or it could break the request line.
        if (destination.AsSpan().ContainsAnyExceptInRange('!', '~')) destination = new Uri(destination).AbsoluteUri;
        var hasPath = destination.AsSpan(destination.IndexOf("//", StringComparison.Ordinal) + 2).Contains('/');
        if (path.Length == 0 && !hasPath) path = "/";
        else if (path.Length > 0 && destination.EndsWith('/')) destination = destination[..^1];
        return new Uri(destination + path + query, s_asWritten);
    }

    private static string ChangedQuery(RequestTransformContext transform)
    {
        var before = transform.HttpContext.Request.Query;
        var after = transform.Query.Collection;
        var query = new StringBuilder();
        // A client can repeat a name, in any case, as often as its request line has room for.
        var kept = new Dictionary<string, bool>(StringComparer.OrdinalIgnoreCase);
        foreach (var parameter in (transform.HttpContext.Request.QueryString.Value ?? "").TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            if (IsKept(Uri.UnescapeDataString(parameter.Split('=', 2)[0].Replace('+', ' ')))) Append(parameter);
        }

        foreach (var (name, values) in after)
        {
            var added = values.Skip(IsKept(name) ? before[name].Count : 0);
            foreach (var value in added) Append($"{Uri.EscapeDataString(name)}={Uri.EscapeDataString(value ?? "")}");
        }

        return query.ToString();

        // Whether all of the client's own values of a parameter are still there. Others may have been added after them.
        bool IsKept(string name)
        {
            if (!kept.TryGetValue(name, out var isKept))
            {
                isKept = after.TryGetValue(name, out var values) && values.Take(before[name].Count).SequenceEqual(before[name], StringComparer.Ordinal);
                kept.Add(name, isKept);
            }

            return isKept;
        }

        void Append(string parameter) => query.Append(query.Length == 0 ? '?' : '&').Append(parameter);
    }
}
