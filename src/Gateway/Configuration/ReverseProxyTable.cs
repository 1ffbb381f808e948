using Gateway.Configuration.Rules;
using Microsoft.Extensions.Logging.Abstractions;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration;

/// <summary>Routes and clusters as YARP itself reads and judges them, so that what is accepted here starts there.</summary>
internal sealed record ReverseProxyTable(IReadOnlyList<RouteConfig> Routes, IReadOnlyList<ClusterConfig> Clusters)
{
    private const string Section = "ReverseProxy";

    /// <summary>Reads the section from a snapshot's values.</summary>
    public static ReverseProxyTable Read(Snapshot snapshot, FindingList findings)
    {
        var configuration = new ConfigurationBuilder().Add(new GatedConfigurationProvider(snapshot)).Build();
        var services = new ServiceCollection();
        services.AddSingleton(typeof(ILogger<>), typeof(NullLogger<>)).AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance);
        services.AddSingleton<IConfiguration>(configuration).AddRouting().AddAuthorization().AddCors();
        services.AddReverseProxy().LoadFromConfig(configuration.GetSection(Section));
        using var provider = services.BuildServiceProvider();
        try
        {
            var table = provider.GetRequiredService<IProxyConfigProvider>().GetConfig();
            var validator = provider.GetRequiredService<IConfigValidator>();
            var judged = findings.Keys.ToArray();
            foreach (var route in table.Routes)
                Report(validator.ValidateRouteAsync(WithoutWhatRulesJudge(route, judged)), RouteKey.Of(route), snapshot, findings);
            foreach (var cluster in table.Clusters)
                Report(validator.ValidateClusterAsync(cluster with { Destinations = null }), RouteKey.Of(cluster), snapshot, findings);
            return new(table.Routes, table.Clusters);
        }
        catch (Exception exception)
        {
            findings.Error(Section, snapshot.SourceOf(Section), $"YARP cannot read it: {SecretText.HideInSentence(exception.Message)}");
            return new([], []);
        }
    }

    // The gateway's rules say the same of these with the key's whole path, and know the policies.
    private static RouteConfig WithoutWhatRulesJudge(RouteConfig route, string[] judged) => route with
    {
        ClusterId = "any",
        AuthorizationPolicy = null,
        RateLimiterPolicy = null,
        CorsPolicy = null,
        OutputCachePolicy = null,
        Timeout = null,
        TimeoutPolicy = null,
        Transforms = Array.Exists(judged, key => key.StartsWith(RouteKey.Of(route, "Transforms:"), StringComparison.OrdinalIgnoreCase)) ? null : route.Transforms,
        Match = RoutePath.IsBroken(route) ? route.Match with { Path = "/" } : route.Match,
    };

    private static void Report(ValueTask<IList<Exception>> validation, string key, Snapshot snapshot, FindingList findings)
    {
        // YARP's validators look at what is in memory, and none of them waits.
        foreach (var error in validation.AsTask().GetAwaiter().GetResult())
            findings.Error(key, snapshot.SourceOf(key), SecretText.HideInSentence(error.Message));
    }
}
