using System.Runtime.CompilerServices;
using IotCredentials.Aws;
using IotCredentials.Caching;
using IotCredentials.Failures;
using IotCredentials.Fetching;
using IotCredentials.Profiles;
using IotCredentials.Telemetry;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace IotCredentials.Vending;

/// <summary>
/// Finds the AWS IoT endpoint of an account and region. It never changes while the account exists, so it is cached for long and refreshed in the background.
/// </summary>
internal sealed partial class IotDataEndpointResolver(
    CredentialCache cache, CacheKeyCache keys, SharedFetch fetch, NegativeCache failures, AwsClients clients, GatewayIdentity identity, DescribeEndpointClient iot,
    IHostEnvironment host, IOptions<IotCredentialsOptions> options, TimeProvider time, ILogger<IotDataEndpointResolver> logger)
{
    private static readonly TimeSpan s_refreshAfter = TimeSpan.FromDays(1);
    private static readonly TimeSpan s_keptFor = TimeSpan.FromDays(7);

    // The endpoints that profiles configure, released together with their profile.
    private readonly ConditionalWeakTable<Profile, CachedIotDataEndpoint> _configured = [];

    /// <exception cref="VendingException">AWS IoT did not return an endpoint.</exception>
    public async ValueTask<CachedIotDataEndpoint> FindAsync(Profile profile)
    {
        if (profile.IotEndpoint is not null)
            return _configured.GetValue(profile, static profile => new CachedIotDataEndpoint { Region = profile.Region, AskedAt = default, Address = profile.IotEndpoint! });

        var askedAs = profile.EndpointRoleArn ?? await identity.FindAsync(profile.Region);
        var key = keys.Of(
            (Environment: host.EnvironmentName, AskedAs: askedAs, profile.Region, IoT: clients.IoTAddress(profile.Region), Sts: clients.StsAddress(profile.Region)),
            static of => CacheKey.OfEndpoint(of.Environment, of.AskedAs, of.Region, of.IoT, of.Sts));
        if (ReadLocal(key, profile) is { } local)
        {
            if (IsDue(local) && !failures.Contains(key)) _ = SingleFlight.Observed(AskAsync(profile, key));
            return local;
        }

        try
        {
            return await AskAsync(profile, key);
        }
        catch (VendingException)
        {
            // AWS IoT failed, but the read from Redis may have brought an entry into memory that is due for a refresh and can still be used.
            if (ReadLocal(key, profile) is { } due) return due;
            throw;
        }
    }

    private CachedIotDataEndpoint? ReadLocal(string key, Profile profile) =>
        cache.ReadLocal<CachedIotDataEndpoint>(key) is { } endpoint && Fits(endpoint, profile) ? endpoint : null;

    private async Task<CachedIotDataEndpoint> AskAsync(Profile profile, string key) => (await fetch.RunAsync(
        key,
        async () => await cache.ReadSharedAsync<CachedIotDataEndpoint>(key) is { } known && Fits(known, profile) && !IsDue(known) ? known : null,
        async () =>
        {
            using var deadline = new CancellationTokenSource(options.Value.WorkTimeout);
            try
            {
                var address = await iot.DescribeEndpointAsync(profile, deadline.Token);
                var endpoint = new CachedIotDataEndpoint { Region = profile.Region, AskedAt = time.GetUtcNow(), Address = address };
                await cache.WriteAsync(key, endpoint, s_keptFor);
                return endpoint;
            }
            catch (Exception e)
            {
                var failure = e as VendingException ?? AwsErrorMapper.From(e, "iot:DescribeEndpoint");
                if (failure.Failure != FailureClass.Credentials) Log.AskFailed(logger, profile.Region, failure.Failure, failure.Message);
                throw failure;
            }
        })).Value;

    private static bool Fits(CachedIotDataEndpoint endpoint, Profile profile) => string.Equals(endpoint.Region, profile.Region, StringComparison.Ordinal);

    private bool IsDue(CachedIotDataEndpoint endpoint) => time.GetUtcNow() - endpoint.AskedAt >= s_refreshAfter;

    private static partial class Log
    {
        [LoggerMessage(EventIds.EndpointFailed, LogLevel.Error, "The AWS IoT endpoint in {Region} could not be found out ({Failure}): {Cause}",
            EventName = nameof(EventIds.EndpointFailed))]
        public static partial void AskFailed(ILogger logger, string region, FailureClass failure, string cause);
    }
}
