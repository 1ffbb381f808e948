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
internal sealed class IotDataEndpointResolver(
    CacheKeyCache keys, Fetcher fetcher, AwsClients clients, GatewayIdentity identity, DescribeEndpointClient iot,
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
            return _configured.GetValue(
                profile, static profile => new CachedIotDataEndpoint { Region = profile.Region, AskedAt = default, Address = profile.IotEndpoint! });

        var askedAs = profile.EndpointRoleArn ?? await identity.FindAsync(profile.Region);
        // AWS IoT names the endpoint of the caller's own account, so each account has a lookup of its own, which compares them.
        if (IsOwnAccountAsked(profile)) askedAs = $"{askedAs} for {profile.Role.AccountId}";
        var key = keys.Of(
            (
                Environment: host.EnvironmentName,
                AskedAs: askedAs,
                profile.Region,
                IoT: clients.IoTAddress(profile.Region),
                Sts: clients.StsAddress(profile.Region)),
            static of => CacheKey.OfEndpoint(of.Environment, of.AskedAs, of.Region, of.IoT, of.Sts));
        var lookup = new Lookup(this, profile, key);
        return fetcher.ReadLocal<CachedIotDataEndpoint, Lookup>(lookup)
            ?? await fetcher.ReadSharedAsync<CachedIotDataEndpoint, Lookup>(lookup)
            ?? (await fetcher.RenewAsync<CachedIotDataEndpoint, Lookup>(lookup)).Value;
    }

    private async Task<CachedIotDataEndpoint> CallAsync(Profile profile)
    {
        using var deadline = new CancellationTokenSource(options.Value.WorkTimeout);
        try
        {
            if (IsOwnAccountAsked(profile)) await RequireOwnAccountAsync(profile);
            var address = await iot.DescribeEndpointAsync(profile, deadline.Token);
            return new CachedIotDataEndpoint { Region = profile.Region, AskedAt = time.GetUtcNow(), Address = address };
        }
        catch (Exception e)
        {
            var failure = e as VendingException ?? AwsErrorMapper.From(e, "iot:DescribeEndpoint");
            if (failure.Failure != FailureClass.Credentials) Log.EndpointFailed(logger, profile.Region, failure.Failure, failure.Message);
            throw failure;
        }
    }

    private static bool IsOwnAccountAsked(Profile profile) => profile.EndpointRoleArn is null;

    private async Task RequireOwnAccountAsync(Profile profile)
    {
        var own = await identity.FindAccountAsync(profile.Region);
        if (own == profile.Role.AccountId) return;
        throw new VendingException(
            FailureClass.Refused,
            $"AWS IoT would name the endpoint of the account {own}, the gateway's own, and the organization's is {profile.Role.AccountId}: "
            + "set EndpointRoleArn, a role of that account, or name the endpoint (IotEndpoint, or iotEndpoint of the directory)");
    }

    private bool IsRefreshDue(CachedIotDataEndpoint endpoint) => time.GetUtcNow() - endpoint.AskedAt >= s_refreshAfter;

    private readonly struct Lookup(IotDataEndpointResolver resolver, Profile profile, string key) : IFetch<CachedIotDataEndpoint>
    {
        public string Kind => "endpoint";

        public string Key => key;

        public bool Matches(CachedIotDataEndpoint value) => string.Equals(value.Region, profile.Region, StringComparison.Ordinal);

        public bool IsAcceptable(CachedIotDataEndpoint value) => true;

        public bool IsRefreshDue(CachedIotDataEndpoint value) => resolver.IsRefreshDue(value);

        public bool IsCurrent(CachedIotDataEndpoint value) => !resolver.IsRefreshDue(value);

        public bool IsNewer(CachedIotDataEndpoint value, CachedIotDataEndpoint known) => value.AskedAt > known.AskedAt;

        public ValueTask<bool> MayReadSharedAsync() => new(true);

        public Task<CachedIotDataEndpoint> CallAsync() => resolver.CallAsync(profile);

        public TimeSpan CacheDurationOf(CachedIotDataEndpoint value) => s_keptFor;

        public Task OnCachedAsync(CachedIotDataEndpoint value) => Task.CompletedTask;

        // The call logs its failure.
        public Task RefreshAsync(Func<Task> renew) => renew().ObserveException();
    }
}
