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
            if (_source is { IsCompletedSuccessfully: true } source && (refused is null || refused.Source == source.Result)) _source = null;
            // Whoever is refused second joins the question that the first one made the source be asked.
            if (refused is null || _last?.Source == refused.Source) (_last, _asking) = (null, null);
        }

        return FindAsync(cancellation);
    }

    // One question at a time: a source that fails or hangs for the second caller has just answered the first.
    private (FoundCredentials? Last, Task<FoundCredentials> Asking) Ask()
    {
        lock (_lock)
        {
            if (_asking is null or { IsCompleted: true }) _asking = SingleFlight.Observed(Task.Run(AskAsync));
            return (_last, _asking);
        }
    }

    private async Task<FoundCredentials> AskAsync()
    {
        var resolving = options.Value.Credentials is null ? SourceAsync() : null;
        var source = resolving is null ? options.Value.Credentials! : await resolving;
        var found = new FoundCredentials(await source.GetCredentialsAsync(), source);
        lock (_lock)
        {
            // Files may have been read again meanwhile.
            if (resolving == _source) _last = found;
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
