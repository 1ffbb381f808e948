using System.Collections.Concurrent;
using Gateway.Telemetry;
using IotCredentials.Failures;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Gateway.Authentication.Keys;

/// <summary>The keys of every scheme's issuer. Fetching begins when the gateway starts.</summary>
internal sealed class KeySources : IHostedService, IDisposable
{
    private readonly ConcurrentDictionary<string, IssuerKeys> _byScheme = new(StringComparer.Ordinal);
    private readonly IssuerDocuments _documents;
    private readonly IssuerSchemes _schemes;
    private readonly IServiceProvider _services;
    private readonly TimeProvider _time;
    private readonly GatewayMetrics _metrics;
    private readonly ILogger<IssuerKeys> _logger;

    public KeySources(
        IssuerDocuments documents, IssuerSchemes schemes, IServiceProvider services, TimeProvider time, GatewayMetrics metrics, ILogger<IssuerKeys> logger)
    {
        (_documents, _schemes, _services, _time, _metrics, _logger) = (documents, schemes, services, time, metrics, logger);
        metrics.ObserveIssuers(() => _schemes.Names.Select(scheme => (scheme, Find(scheme)?.Outage is not null)));
        metrics.ObserveKeys(() => from scheme in _schemes.Names
                                  let age = Find(scheme)?.Age
                                  where age is not null
                                  select (scheme, age.Value));
    }

    /// <summary>The keys of a scheme's issuer; null for a scheme that has not been used yet.</summary>
    public IssuerKeys? Find(string scheme) => _byScheme.GetValueOrDefault(scheme);

    /// <summary>Creates the keys of a scheme's issuer, or returns the existing ones.</summary>
    public IssuerKeys Add(string scheme, string metadataAddress, IReadOnlyCollection<string> issuers, bool requireHttps) =>
        _byScheme.GetOrAdd(scheme, _ => new IssuerKeys(scheme, metadataAddress, issuers, requireHttps, _documents, _time, _metrics, _logger));

    /// <summary>The issuers whose keys cannot be fetched, by scheme.</summary>
    public IReadOnlyList<(string Scheme, PeerOutage Outage)> Outages() => [.. from scheme in _schemes.Names
                                                                                let outage = Find(scheme)?.Outage
                                                                                where outage is not null
                                                                                select (scheme, outage)];

    public Task StartAsync(CancellationToken cancellationToken)
    {
        // Creating a scheme's options adds its keys.
        var options = _services.GetRequiredService<IOptionsMonitor<JwtBearerOptions>>();
        foreach (var scheme in _schemes.Names) _ = options.Get(scheme);
        foreach (var keys in _byScheme.Values) _ = keys.FetchAsync();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        foreach (var keys in _byScheme.Values) keys.Dispose();
    }
}

/// <summary>
/// Reports degraded readiness while an issuer's keys cannot be fetched. Callers of other issuers, and tokens that the current keys can judge, are still served.
/// </summary>
internal sealed class IssuersAreReachable(KeySources sources) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var outages = sources.Outages();
        return Task.FromResult(outages.Count == 0
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Degraded(string.Join("; ", outages.Select(each => Sentence(each.Scheme, each.Outage)))));

        static string Sentence(string scheme, PeerOutage outage) =>
            $"the keys of {scheme}'s issuer cannot be read from {outage.Address}: {outage.Cause} (since {UtcTime.Seconds(outage.Since)})";
    }
}
