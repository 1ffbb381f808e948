using System.Runtime.CompilerServices;
using CredentialModule.Aws;
using CredentialModule.Caching;
using CredentialModule.Profiles;
using CredentialModule.Telemetry;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace CredentialModule.Vending;

/// <summary>
/// The AWS IoT endpoint of an account and region. It never changes while the account lives, so it is kept for long and asked anew behind the
/// callers.
/// </summary>
internal sealed partial class EndpointDirectory(
    CredentialCache cache, KnownKeys keys, SharedFetch fetch, FailureMemory failures, AwsClients clients, GatewayIdentity identity, IoTCalls iot,
    IHostEnvironment host, IOptions<IotCredentialsOptions> options, TimeProvider time, ILogger<EndpointDirectory> logger)
{
    private static readonly TimeSpan RefreshAfter = TimeSpan.FromDays(1);
    private static readonly TimeSpan KeptFor = TimeSpan.FromDays(7);

    // Goes with the profile that says it.
    private readonly ConditionalWeakTable<Profile, StoredEndpoint> _configured = [];

    /// <exception cref="VendingException">AWS IoT cannot say.</exception>
    public async ValueTask<StoredEndpoint> FindAsync(Profile profile)
    {
        if (profile.IotEndpoint is not null)
            return _configured.GetValue(profile, static profile => new StoredEndpoint { Region = profile.Region, AskedAt = default, Address = profile.IotEndpoint! });

        var askedAs = profile.EndpointRoleArn ?? await identity.FindAsync(profile.Region);
        var key = keys.Of(
            (Environment: host.EnvironmentName, AskedAs: askedAs, profile.Region, IoT: clients.IoTAddress(profile.Region), Sts: clients.StsAddress(profile.Region)),
            static of => CacheKey.OfEndpoint(of.Environment, of.AskedAs, of.Region, of.IoT, of.Sts));
        if (ReadLocal(key, profile) is { } local)
        {
            if (IsDue(local) && !failures.Remembers(key)) _ = SingleFlight.Observed(AskAsync(profile, key));
            return local;
        }

        try
        {
            return await AskAsync(profile, key);
        }
        catch (VendingException)
        {
            // Redis may have had one that was due, while AWS IoT cannot say it anew.
            if (ReadLocal(key, profile) is { } due) return due;
            throw;
        }
    }

    private StoredEndpoint? ReadLocal(string key, Profile profile) =>
        cache.ReadLocal<StoredEndpoint>(key) is { } endpoint && Fits(endpoint, profile) ? endpoint : null;

    private async Task<StoredEndpoint> AskAsync(Profile profile, string key) => (await fetch.RunAsync(
        key,
        async () => await cache.ReadSharedAsync<StoredEndpoint>(key) is { } known && Fits(known, profile) && !IsDue(known) ? known : null,
        async () =>
        {
            using var deadline = new CancellationTokenSource(options.Value.WorkTimeout);
            try
            {
                var address = await iot.DescribeEndpointAsync(profile, deadline.Token);
                var endpoint = new StoredEndpoint { Region = profile.Region, AskedAt = time.GetUtcNow(), Address = address };
                await cache.WriteAsync(key, endpoint, KeptFor);
                return endpoint;
            }
            catch (Exception e)
            {
                var failure = e as VendingException ?? AwsFailure.From(e, "iot:DescribeEndpoint");
                if (failure.Failure != FailureClass.Credentials) Log.AskFailed(logger, profile.Region, failure.Failure, failure.Message);
                throw failure;
            }
        })).Value;

    private static bool Fits(StoredEndpoint endpoint, Profile profile) => string.Equals(endpoint.Region, profile.Region, StringComparison.Ordinal);

    private bool IsDue(StoredEndpoint endpoint) => time.GetUtcNow() - endpoint.AskedAt >= RefreshAfter;

    private static partial class Log
    {
        [LoggerMessage(EventIds.EndpointFailed, LogLevel.Error, "The AWS IoT endpoint in {Region} could not be found out ({Failure}): {Cause}")]
        public static partial void AskFailed(ILogger logger, string region, FailureClass failure, string cause);
    }
}
