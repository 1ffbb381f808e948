using System.Collections.Concurrent;
using IotCredentials.Caching;
using IotCredentials.Failures;
using StackExchange.Redis;

namespace IotCredentials.Vending;

/// <summary>Deletes the entries of older generations from Redis. One pass over the keys runs at a time, for all pending organizations.</summary>
internal sealed class StaleEntryRemoval(CredentialCache cache) : IDisposable
{
    internal const int PageSize = 1000;

    // The client can miss that a command has timed out.
    private static readonly TimeSpan s_longestPage = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, PendingRemoval> _pending = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _pass = new(1);

    /// <summary>Adds an organization to the next pass. Its new generation has to be known before.</summary>
    public void Add(string organization) => _pending[CacheKey.OrganizationTag(organization)] = new PendingRemoval(organization);

    public bool IsEmpty => _pending.IsEmpty;

    /// <summary>Whether the organization's stale entries are still to be deleted.</summary>
    public bool Contains(string organization) => _pending.ContainsKey(CacheKey.OrganizationTag(organization));

    /// <summary>Deletes the stale entries of all pending organizations. If a pass fails, its organizations stay pending.</summary>
    /// <exception cref="RedisException">Redis cannot be used.</exception>
    public async Task DeleteAsync(Func<string, string?> generationOf)
    {
        if (_pending.IsEmpty) return;
        await _pass.WaitAsync();
        try
        {
            // Another pass may have handled them.
            if (_pending.IsEmpty) return;
            var batch = _pending.ToArray();
            var current = batch.ToDictionary(
                static entry => entry.Key, entry => CacheKey.GenerationTag(generationOf(entry.Value.Organization)), StringComparer.Ordinal);
            var connection = await cache.Redis!.GetAsync();
            var database = connection.GetDatabase();
            var (servers, isComplete) = ServersOf(connection);
            foreach (var server in servers)
            {
                // While a node is away, the passes that follow do not scan the others again.
                if (Array.TrueForAll(batch, entry => entry.Value.Finished.Contains(server.EndPoint))) continue;
                await using var pages = server.KeysAsync(database.Database, cache.EntryPattern, PageSize).Chunk(PageSize).GetAsyncEnumerator();
                while (await pages.MoveNextAsync().AsTask().ObserveException().WaitAsync(s_longestPage))
                {
                    var outdated = pages.Current.Where(key => IsOutdated((string)key!, current));
                    await Task.WhenAll(outdated.Select(key => database.KeyDeleteAsync(key))).ObserveException().WaitAsync(s_longestPage);
                }

                foreach (var (_, removal) in batch) removal.Finished.Add(server.EndPoint);
            }

            // The entries on a node that is not connected are deleted when it is.
            if (!isComplete) throw new RedisException("A node that holds keys is not connected.");
            foreach (var entry in batch) _pending.TryRemove(entry);
        }
        finally
        {
            _pass.Release();
        }
    }

    public void Dispose() => _pass.Dispose();

    // The connected nodes that hold keys, and whether these are all.
    private (IServer[] Servers, bool IsComplete) ServersOf(IConnectionMultiplexer connection)
    {
        IServer[] connected = [.. connection.GetServers().Where(static server => server is { IsConnected: true, IsReplica: false })];
        if (cache.Redis!.Primaries is not { Count: > 0 } primaries) return (connected, connected.Length > 0);
        IServer[] holding = [.. connected.Where(server => primaries.Contains(server.EndPoint))];
        return (holding, holding.Length == primaries.Count);
    }

    private bool IsOutdated(string redisKey, Dictionary<string, string> current) =>
        redisKey[cache.EntryPrefix.Length..].Split('-', 3) is [var organization, var generation, _]
            && current.TryGetValue(organization, out var kept)
            && generation != kept;

    // A class, compared by reference: a request added during a pass is not removed with the one that the pass has fulfilled.
    private sealed class PendingRemoval(string organization)
    {
        public string Organization { get; } = organization;

        /// <summary>The nodes whose stale entries are deleted.</summary>
        public HashSet<System.Net.EndPoint> Finished { get; } = [];
    }
}
