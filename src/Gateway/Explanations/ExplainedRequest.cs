using Gateway.Edge;
using Gateway.Logs;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Gateway.Explanations;

/// <summary>A request that is explained, not sent.</summary>
/// <param name="Method">The method.</param>
/// <param name="Target">Path and query, as a client writes them.</param>
/// <param name="Host">The request's host.</param>
internal sealed record ExplainedRequest(string Method, string Target, string Host)
{
    /// <summary>Returns the request as it is after Kestrel has parsed it.</summary>
    /// <param name="services">The gateway's services.</param>
    /// <param name="headers">Its headers besides Host.</param>
    public HttpContext Context(IServiceProvider services, params IEnumerable<KeyValuePair<string, string>> headers)
    {
        var query = Target.IndexOf('?', StringComparison.Ordinal);
        var context = new DefaultHttpContext { RequestServices = services };
        context.Features.Get<IHttpRequestFeature>()!.RawTarget = Target;
        context.Request.Method = Method;
        context.Request.Scheme = Uri.UriSchemeHttps;
        context.Request.Host = new HostString(Host);
        // The guard refuses any other target by its text. PathString cannot hold each of them, such as one with an escaped NUL.
        if (RequestGuard.IsUnambiguous(Target)) context.Request.Path = PathString.FromUriComponent(query < 0 ? Target : Target[..query]);
        context.Request.QueryString = query < 0 ? QueryString.Empty : new QueryString(Target[query..]);
        foreach (var (name, value) in headers) context.Request.Headers[name] = value;
        return context;
    }

    /// <summary>Whether AllowedHosts names the host.</summary>
    public Task<bool> IsHostAllowedAsync(IServiceProvider services) => PassesAsync(
        Context(services),
        next => new HostFilteringMiddleware(
            next, NullLogger<HostFilteringMiddleware>.Instance,
            new CurrentOptions(services.GetRequiredService<IOptionsMonitor<HostFilteringOptions>>().CurrentValue)).Invoke);

    /// <summary>Returns the status with which the request guard rejects the request before routing, or null when the guard lets it pass.</summary>
    public async Task<(int Status, string Reason)?> GuardAsync(
        IServiceProvider services, IReadOnlyList<string> methods, IEnumerable<KeyValuePair<string, string>> headers)
    {
        var context = Context(services, headers);
        return await PassesAsync(context, next => new RequestGuard(next, methods).InvokeAsync)
            ? null
            : (context.Response.StatusCode, RequestReason.Of(context, context.Response.StatusCode)!);
    }

    private static async Task<bool> PassesAsync(HttpContext context, Func<RequestDelegate, RequestDelegate> step)
    {
        var passed = false;
        await step(_ =>
        {
            passed = true;
            return Task.CompletedTask;
        })(context);
        return passed;
    }

    /// <summary>Returns an organization's path on a route without its optional parts, or null when the path has other required parameters.</summary>
    public static string? PathOf(RoutePattern pattern, string parameter, string organization)
    {
        if (pattern.Parameters.Any(part => !MayBeLeftOut(part) && !IsOrganization(part))) return null;
        var segments = pattern.PathSegments.Where(segment => !segment.Parts.All(MayBeLeftOut));
        return "/" + string.Join('/', segments.Select(segment => string.Concat(segment.Parts.Select(Text))));

        bool IsOrganization(RoutePatternParameterPart part) => part.Name.Equals(parameter, StringComparison.OrdinalIgnoreCase);

        static bool MayBeLeftOut(RoutePatternPart part) =>
            part is RoutePatternParameterPart { IsOptional: true } or RoutePatternParameterPart { IsCatchAll: true };

        string Text(RoutePatternPart part) => part switch
        {
            RoutePatternLiteralPart literal => literal.Content,
            RoutePatternParameterPart named when IsOrganization(named) => Uri.EscapeDataString(organization),
            _ => "",
        };
    }

    // The middleware subscribes to changes for ever.
    private sealed class CurrentOptions(HostFilteringOptions current) : IOptionsMonitor<HostFilteringOptions>
    {
        public HostFilteringOptions CurrentValue => current;

        public HostFilteringOptions Get(string? name) => current;

        public IDisposable? OnChange(Action<HostFilteringOptions, string?> listener) => null;
    }
}
