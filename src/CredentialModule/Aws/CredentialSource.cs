using System.Diagnostics;
using Amazon.Runtime;
using Amazon.Runtime.Credentials;
using IotCredentials.Failures;
using Microsoft.Extensions.Options;

namespace IotCredentials.Aws;

/// <summary>A snapshot of the gateway's own credentials.</summary>
/// <param name="Values">The keys and the session token.</param>
/// <param name="Source">The source that returned them. It renews those of a role by itself, before they expire.</param>
internal sealed record FoundCredentials(ImmutableCredentials Values, AWSCredentials Source)
{
    /// <summary>The same values in the type that the SDK's clients take. They never change.</summary>
    public AWSCredentials Fixed { get; } = Values.UseToken
        ? new SessionAWSCredentials(Values.AccessKey, Values.SecretKey, Values.Token)
        : new BasicAWSCredentials(Values.AccessKey, Values.SecretKey);
}

/// <summary>
/// The source of the gateway's own credentials: the host's, or the first that the AWS SDK finds. It is resolved once; the credentials that it returns change as
/// they are renewed. While it fails or hangs, the last credentials are used until AWS rejects them.
/// </summary>
internal sealed class CredentialSource(IOptions<AwsClientOptions> options)
{
    // A source renews before expiration, so a caller waits no longer than this if there are credentials to continue with.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);

    // A query that hangs stays in memory for good. Each is replaced after twice the time of the one before, up to this, so callers cannot pile them up.
    private static readonly TimeSpan s_longestUntilReplaced = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private Task<AWSCredentials>? _source;
    private Task<FoundCredentials>? _asking;
    private FoundCredentials? _last;
    private FoundCredentials? _refused;
    private int _round;
    private long _askedAt;
    private TimeSpan _untilReplaced = s_patience;

    /// <summary>The current credentials.</summary>
    public async Task<FoundCredentials> FindAsync(CancellationToken cancellation)
    {
        var (last, asking) = Ask();
        try
        {
            // The query cannot be cancelled, and a source that hangs must not block its waiters.
            return await asking.WaitAsync(last is null ? Timeout.InfiniteTimeSpan : s_patience, cancellation);
        }
        catch (Exception) when (last is not null && !cancellation.IsCancellationRequested)
        {
            lock (_lock)
            {
                // This query may never complete, so the next caller starts another one.
                if (_asking == asking && !asking.IsCompleted && Stopwatch.GetElapsedTime(_askedAt) >= _untilReplaced)
                {
                    _asking = null;
                    _untilReplaced = _untilReplaced * 2 < s_longestUntilReplaced ? _untilReplaced * 2 : s_longestUntilReplaced;
                }
            }

            return last;
        }
    }

    /// <summary>
    /// The current credentials after AWS has rejected the last ones: files and variables are read again. The SDK would detect a changed file with a file
    /// watcher, which misses mounted files and uses up one of the few watchers that a machine has. Other callers keep the last credentials until there is a
    /// result, because AWS may reject them in one region only.
    /// </summary>
    /// <param name="refused">The rejected credentials.</param>
    /// <param name="mayReplace">
    /// Called if nobody has read again since. False to read nothing again, and only share what another caller reads.
    /// </param>
    /// <param name="cancellation">Cancels the wait.</param>
    public async Task<FoundCredentials> RereadAsync(FoundCredentials? refused, Func<bool> mayReplace, CancellationToken cancellation)
    {
        Task<FoundCredentials>? asking = null;
        lock (_lock)
        {
            // If several callers were rejected, the first resolves the source again, and the others share its result.
            var isCurrent = refused is null || (_last is not null && _last.Values.Equals(refused.Values));
            if (isCurrent && !IsAskedInsteadOf(refused) && mayReplace())
            {
                (_source, _asking, _refused) = (null, null, refused);
                options.Value.CredentialsRejected?.Invoke();
                _round++;
            }

            if (isCurrent) asking = Ask().Asking;
        }

        return asking is null ? await FindAsync(cancellation) : await asking.WaitAsync(cancellation);
    }

    private bool IsAskedInsteadOf(FoundCredentials? refused) =>
        refused is not null && _asking is { IsCompleted: false } && refused.Values.Equals(_refused?.Values);

    // Runs one query at a time: callers that arrive during a query share its result, so that none fails where the first succeeds.
    private (FoundCredentials? Last, Task<FoundCredentials> Asking) Ask()
    {
        lock (_lock)
        {
            if (_asking is null or { IsCompleted: true })
            {
                var round = _round;
                _askedAt = Stopwatch.GetTimestamp();
                _asking = Task.Run(() => AskAsync(round)).ObserveException();
            }

            return (_last, _asking);
        }
    }

    private async Task<FoundCredentials> AskAsync(int round)
    {
        var source = options.Value.Credentials ?? await SourceAsync();
        var found = new FoundCredentials(await source.GetCredentialsAsync(), source);
        lock (_lock)
        {
            // The result of an earlier round's query may be the credentials that AWS has rejected since.
            if (round == _round) (_last, _untilReplaced) = (found, s_patience);
        }

        return found;
    }

    private Task<AWSCredentials> SourceAsync()
    {
        lock (_lock)
        {
            // The resolver reads files and queries the instance metadata on the calling thread, hence Task.Run.
            if (_source is null or { IsFaulted: true } or { IsCanceled: true }) _source = Task.Run(Resolve).ObserveException();
            return _source;
        }
    }

    private static AWSCredentials Resolve()
    {
        using var resolver = new DefaultAWSCredentialsIdentityResolver();
        return resolver.ResolveIdentity(null);
    }
}
