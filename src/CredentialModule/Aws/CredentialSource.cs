using Amazon.Runtime;
using Amazon.Runtime.Credentials;
using CredentialModule.Vending;
using Microsoft.Extensions.Options;

namespace CredentialModule.Aws;

/// <summary>The gateway's own credentials as they are at one moment.</summary>
/// <param name="Values">The keys, and the session's token.</param>
/// <param name="Source">What they are of: it renews those of a role by itself, ahead of their end.</param>
internal sealed record FoundCredentials(ImmutableCredentials Values, AWSCredentials Source)
{
    /// <summary>The same, as the SDK's clients take them. They never change.</summary>
    public AWSCredentials Fixed { get; } = Values.UseToken
        ? new SessionAWSCredentials(Values.AccessKey, Values.SecretKey, Values.Token)
        : new BasicAWSCredentials(Values.AccessKey, Values.SecretKey);
}

/// <summary>
/// Where the gateway's own credentials come from: the host's source, or the first that the AWS SDK finds. It is found once; what it hands out changes
/// as it is renewed. While it fails or hangs, what it handed out last is used until AWS refuses it.
/// </summary>
internal sealed class CredentialSource(IOptions<AwsClientOptions> options)
{
    // A source renews ahead of the end: who has something to go on with does not wait for it longer.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private Task<AWSCredentials>? _source;
    private Task<FoundCredentials>? _asking;
    private FoundCredentials? _last;
    private int _round;

    /// <summary>The credentials of this moment.</summary>
    public async Task<FoundCredentials> FindAsync(CancellationToken cancellation)
    {
        var (last, asking) = Ask();
        try
        {
            // Asking cannot be cancelled, and a source that hangs must not hold who waits for it.
            return await asking.WaitAsync(last is null ? Timeout.InfiniteTimeSpan : s_patience, cancellation);
        }
        catch (Exception) when (last is not null && !cancellation.IsCancellationRequested)
        {
            lock (_lock)
            {
                // The next caller asks again: this question may never be answered.
                if (_asking == asking) _asking = null;
            }

            return last;
        }
    }

    /// <summary>
    /// The credentials of this moment when those at hand are refused: files and variables are read again. The SDK would learn of a changed file by
    /// a file watcher, which misses one that is mounted, and takes one of few that a machine has.
    /// </summary>
    public Task<FoundCredentials> FindOthersAsync(FoundCredentials? refused, CancellationToken cancellation)
    {
        lock (_lock)
        {
            // Of several callers that are refused, the first asks again, and the others share its answer.
            if (refused is null || (_last is not null && _last.Values.Equals(refused.Values)))
            {
                (_source, _asking, _last) = (null, null, null);
                _round++;
            }
        }

        return FindAsync(cancellation);
    }

    // One question at a time: callers that come while it is asked share its answer, so that none fails where the first succeeds.
    private (FoundCredentials? Last, Task<FoundCredentials> Asking) Ask()
    {
        lock (_lock)
        {
            if (_asking is null or { IsCompleted: true })
            {
                var round = _round;
                _asking = SingleFlight.Observed(Task.Run(() => AskAsync(round)));
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
            // The answer to a question of an earlier round may be what AWS has refused since.
            if (round == _round) _last = found;
        }

        return found;
    }

    private Task<AWSCredentials> SourceAsync()
    {
        lock (_lock)
        {
            // Reading files and asking the instance metadata happens on the thread that asks.
            if (_source is null or { IsFaulted: true } or { IsCanceled: true }) _source = SingleFlight.Observed(Task.Run(Resolve));
            return _source;
        }
    }

    private static AWSCredentials Resolve()
    {
        using var resolver = new DefaultAWSCredentialsIdentityResolver();
        return resolver.ResolveIdentity(null);
    }
}
