using Amazon.Runtime;
using Amazon.SecurityToken.Model;
using CredentialModule.Telemetry;
using CredentialModule.Vending;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace CredentialModule.Aws;

/// <summary>
/// The gateway's own credentials, which sign its calls. That there are none, or that AWS does not take them, is a condition of this process and not of
/// each organization: it is told once with what to do, looked at every two seconds, and told once when it is over. Until then nobody asks AWS.
/// </summary>
internal sealed partial class OwnCredentials : IDisposable
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(2);

    // Of a source that fails, whatever the region.
    private const string Everywhere = "";

    private readonly AwsClients _clients;
    private readonly CredentialSource _source;
    private readonly IOptions<AwsClientOptions> _options;
    private readonly IOptions<IotCredentialsOptions> _module;
    private readonly TimeProvider _time;
    private readonly ILogger<OwnCredentials> _logger;

    private readonly CancellationTokenSource _ended = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<string, VendingException> _refused = new(StringComparer.Ordinal);
    private readonly HashSet<string> _told = new(StringComparer.Ordinal);

    public OwnCredentials(
        AwsClients clients, CredentialSource source, IOptions<AwsClientOptions> options, IOptions<IotCredentialsOptions> module, TimeProvider time,
        CredentialMetrics metrics, ILogger<OwnCredentials> logger)
    {
        (_clients, _source, _options, _module, _time, _logger) = (clients, source, options, module, time, logger);
        metrics.ObserveCredentials(() => Problem is null);
    }

    /// <summary>Why AWS does not take the gateway's credentials, and what to do; null while it does, as far as is known.</summary>
    public string? Problem
    {
        get { lock (_lock) return _refused.Values.FirstOrDefault()?.Message; }
    }

    /// <exception cref="VendingException">AWS does not take the gateway's credentials in this region.</exception>
    public void ThrowIfRefused(string region)
    {
        lock (_lock)
        {
            if ((_refused.GetValueOrDefault(region) ?? _refused.GetValueOrDefault(Everywhere)) is { } known) throw Again(known);
        }
    }

    /// <summary>Makes a call that the gateway's own credentials sign. When AWS does not take them, once more with what stands there by now.</summary>
    /// <param name="region">The region.</param>
    /// <param name="call">The action, such as <c>sts:AssumeRole</c>.</param>
    /// <param name="address">Where the call goes, if that is known.</param>
    /// <param name="use">The call.</param>
    /// <param name="cancellation">Ends the wait for credentials.</param>
    /// <exception cref="VendingException">The call failed.</exception>
    public async Task<T> UseAsync<T>(string region, string call, Uri? address, Func<AWSCredentials, Task<T>> use, CancellationToken cancellation)
    {
        ThrowIfRefused(region);
        var found = await FindAsync(_source.FindAsync, cancellation);
        try
        {
            return await use(found.Fixed);
        }
        catch (Exception e) when (AwsFailure.OfCredentials(e) is { } failure)
        {
            var other = await FindAsync(end => _source.FindOthersAsync(found, end), cancellation);
            if (IsSame(other, found)) throw Refused(region, failure);
            found = other;
        }
        catch (Exception e)
        {
            throw AwsFailure.From(e, call, address);
        }

        try
        {
            return await use(found.Fixed);
        }
        catch (Exception e)
        {
            throw AwsFailure.OfCredentials(e) is { } failure ? Refused(region, failure) : AwsFailure.From(e, call, address);
        }
    }

    /// <summary>The credentials of this moment.</summary>
    /// <exception cref="VendingException">There are none.</exception>
    public Task<FoundCredentials> FindAsync(CancellationToken cancellation) => FindAsync(_source.FindAsync, cancellation);

    private async Task<FoundCredentials> FindAsync(Func<CancellationToken, Task<FoundCredentials>> find, CancellationToken cancellation)
    {
        try
        {
            return await find(cancellation);
        }
        catch (Exception e)
        {
            var failure = FailureOf(e);
            throw failure.Failure == FailureClass.Credentials ? Refused(Everywhere, failure) : failure;
        }
    }

    private VendingException FailureOf(Exception error) => SourceFailure.Of(error, _options.Value.Credentials is not null, AwsSources.OfProcess());

    private VendingException Refused(string region, VendingException failure)
    {
        lock (_lock)
        {
            if (_ended.IsCancellationRequested) return failure;
            if (_refused.Count == 0) _ = WatchAsync();
            _refused[region] = failure;
            if (_told.Add(failure.Message)) Log.Refused(_logger, failure.Message);
        }

        return Again(failure);
    }

    private static VendingException Again(VendingException known) => new(known.Failure, known.Message, s_interval);

    private async Task WatchAsync()
    {
        var begun = _time.GetTimestamp();
        try
        {
            while (true)
            {
                await Task.Delay(s_interval, _time, _ended.Token);
                string[] regions;
                lock (_lock) regions = [.. _refused.Keys];
                foreach (var region in regions)
                {
                    if (!await IsTakenAsync(region)) continue;
                    lock (_lock)
                    {
                        _refused.Remove(region);
                        if (_refused.Count > 0) continue;
                        _told.Clear();
                        Log.Taken(_logger, (long)_time.GetElapsedTime(begun).TotalSeconds);
                        return;
                    }
                }
            }
        }
        catch (OperationCanceledException) when (_ended.IsCancellationRequested)
        {
            // The process ends.
        }
    }

    private async Task<bool> IsTakenAsync(string region)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(_ended.Token);
        deadline.CancelAfter(_module.Value.WorkTimeout);
        try
        {
            var found = await _source.FindOthersAsync(null, deadline.Token);
            if (region == Everywhere) return true;
            using var sts = _clients.Sts(region, found.Fixed);
            await sts.GetCallerIdentityAsync(new GetCallerIdentityRequest(), deadline.Token);
            return true;
        }
        catch (Exception e) when (!_ended.IsCancellationRequested)
        {
            var failure = region == Everywhere ? FailureOf(e) : AwsFailure.OfCredentials(e) ?? AwsFailure.From(e, "sts:GetCallerIdentity");
            if (failure.Failure == FailureClass.Credentials) Refused(region, failure);
            // Whom AWS refuses something it knows.
            return failure.Failure == FailureClass.Refused;
        }
    }

    private static bool IsSame(FoundCredentials one, FoundCredentials other) =>
        one.Values.AccessKey == other.Values.AccessKey && one.Values.SecretKey == other.Values.SecretKey && one.Values.Token == other.Values.Token;

    public void Dispose() => _ended.Cancel();

    private static partial class Log
    {
        [LoggerMessage(EventIds.CredentialsRefused, LogLevel.Error,
            "The gateway has no credentials that AWS takes: {Cause}. Nothing new is vended until it has; what is cached serves on")]
        public static partial void Refused(ILogger logger, string cause);

        [LoggerMessage(EventIds.CredentialsTaken, LogLevel.Information, "AWS takes the gateway's credentials again, after {Seconds} s")]
        public static partial void Taken(ILogger logger, long seconds);
    }
}
