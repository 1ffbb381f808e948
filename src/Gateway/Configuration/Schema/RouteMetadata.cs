using Gateway.Configuration.Tree;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Schema;

/// <summary>The metadata that a route of <c>ReverseProxy</c> may hold.</summary>
internal sealed record RouteMetadata
{
    /// <summary>The module that handles requests in the process. Default: none, the route is forwarded. Known: <c>IotCredentials</c>.</summary>
    public string? Module { get; init; }

    /// <summary>The profile that a module route vends by. Default: <c>default</c>.</summary>
    public string? Profile { get; init; }

    /// <summary>Whether the route may be used for organizations that the caller does not belong to. Default: false.</summary>
    public bool AnyOrganization { get; init; }

    /// <summary>Whether the caller's <c>Authorization</c> header goes downstream. Default: false.</summary>
    public bool ForwardAuthorization { get; init; }

    /// <summary>Whether the caller's cookies go downstream. Default: false.</summary>
    public bool ForwardCookies { get; init; }

    /// <summary>
    /// Headers of other proxies that the route passes on from clients all the same, by their exact names, separated by commas: <c>CF-Ray, X-User-Id</c>.
    /// Default: none.
    /// </summary>
    public string? ForwardHeaders { get; init; }

    /// <summary>The client addresses and networks that may use the route. Default: any.</summary>
    public string? IpAllow { get; init; }

    /// <summary>
    /// How often an idempotent request without a body that got no response is sent again to another destination: 0 to 2. Default: 0.
    /// </summary>
    public int Retries { get; init; }

    /// <summary>Reads a route's metadata; what is not there, or is no value, has its default.</summary>
    public static RouteMetadata Of(RouteConfig route)
    {
        var section = new ObjectNode("", false);
        foreach (var (name, value) in route.Metadata ?? new Dictionary<string, string>()) section.Children[name] = new ScalarNode("", false, value);
        return OptionsBinder.Bind<RouteMetadata>(section);
    }
}
