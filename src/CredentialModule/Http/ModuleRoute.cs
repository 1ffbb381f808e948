using IotCredentials.Telemetry;
using IotCredentials.Vending;
using Yarp.ReverseProxy.Configuration;

namespace IotCredentials.Http;

/// <summary>
/// A module that serves routes in process. Every plugin that does so registers its own as a singleton; a route with the name of none is refused.
/// </summary>
/// <param name="Name">The name that routes give in <c>Metadata:Module</c>.</param>
public sealed record RouteModule(string Name);

/// <summary>The metadata of routes that modules serve.</summary>
public static class ModuleRoute
{
    /// <summary>The name of the module that vends credentials.</summary>
    public const string Name = "IotCredentials";

    /// <summary>The name of the module's meter.</summary>
    public const string MeterName = CredentialMetrics.MeterName;

    /// <summary>The log category of the audit.</summary>
    public const string AuditCategory = AuditTrail.Category;

    // MapReverseProxy returns a builder without services, so a missing AddIotCredentials can only be detected for the whole process.
    private static volatile bool s_isAdded;

    /// <summary>Whether any host of this process has added the module.</summary>
    internal static bool IsAdded
    {
        get => s_isAdded;
        set => s_isAdded = value;
    }

    /// <summary>The name of the module that serves a route; null if the route is forwarded.</summary>
    public static string? ModuleOf(RouteConfig route) => Metadata(route, "Module");

    /// <summary>Whether the route vends credentials.</summary>
    public static bool IsCredentials(RouteConfig route) => ModuleOf(route) == Name;

    /// <summary>The profile that a route vends with.</summary>
    public static string ProfileOf(RouteConfig route) => Metadata(route, "Profile") ?? "default";

    /// <summary>The metadata of a route by its key. Case is ignored, as in configuration, also if a host's code built the dictionary.</summary>
    internal static string? Metadata(RouteConfig route, string key) =>
        route.Metadata?.FirstOrDefault(entry => entry.Key.Equals(key, StringComparison.OrdinalIgnoreCase)).Value;
}
