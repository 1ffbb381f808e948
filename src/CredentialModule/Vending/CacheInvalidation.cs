using System.Collections.Concurrent;
using System.Threading.Channels;
using IotCredentials.Caching;
using IotCredentials.Failures;
using IotCredentials.Fetching;
using IotCredentials.Profiles;
using IotCredentials.Redis;
using IotCredentials.Telemetry;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace IotCredentials.Vending;

/// <summary>
/// Invalidates organizations' cached credentials. An organization's generation is part of its cache keys: a new generation makes everything that was vended
/// before unreachable, including a renewal in progress. Replicas learn of a generation by a notice, and by polling Redis every few seconds. The stale entries
/// are also deleted from Redis, so that they stay unreachable if the generation is lost.
/// </summary>
internal sealed class CacheInvalidation(
    CredentialCache cache, SingleFlight flights, IOptions<IotCredentialsOptions> options, TimeProvider time, ILogger<CacheInvalidation> logger)
    : BackgroundService, IHostedLifecycleService
{
    internal static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(5);

    // The least time between polls: a client that can publish in Redis must not keep replicas busy with polls.
    private static readonly TimeSpan s_leastBetweenPolls = TimeSpan.FromMilliseconds(100);

    /// <summary>How long the deletion from Redis may take.</summary>
    public static readonly TimeSpan LongestPass = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan s_margin = TimeSpan.FromHours(1);

    private readonly ConcurrentDictionary<string, Generation> _generations = new(StringComparer.Ordinal);
    private readonly GenerationStore _store = new(cache, time, logger);
    private readonly StaleEntryRemoval _staleEntries = new(cache);

    // All entries of the previous generation have expired by then.
    private readonly TimeSpan _keptFor = LongestUse(options.Value.Directory) + s_margin;

    // One pending notice is enough: the poll that it triggers covers all notices before it.
    private readonly Channel<bool> _notices = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private Task? _firstPoll;
    private volatile bool _isLoaded;

    /// <summary>Whether the generations that existed before this process started are loaded. Loads them if they are not.</summary>
    public async ValueTask<bool> IsLoadedAsync() =>
        _isLoaded || (cache.Redis is not { CircuitBreaker.IsOpen: true } && await flights.JoinAsync(cache.GenerationsKey, PollAsync));

    /// <summary>The organization's generation; null when it was not invalidated.</summary>
    public string? GenerationOf(string organization) => _generations.TryGetValue(organization, out var generation) ? generation.Text : null;

    /// <summary>
    /// Removes an entry that was just cached if its organization was invalidated during the call. Its key is no longer read, and once it is removed, a replica
    /// that loses the generation cannot read it either.
    /// </summary>
    public Task RemoveIfOutdatedAsync(string organization, string? generation, string key) =>
        GenerationOf(organization) == generation ? Task.CompletedTask : cache.RemoveAsync(key);

    /// <summary>Invalidates an organization in this replica and in all others. False when the others could not be reached.</summary>
    public async Task<bool> InvalidateAsync(OrganizationId organization)
    {
        if (cache.Redis is not { } redis)
        {
            Adopt(organization.Value, NewGeneration(organization.Value, time.GetUtcNow()));
            return true;
        }

        try
        {
            var connection = await redis.GetAsync().WaitAsync(GenerationStore.LongestWait);
            var database = connection.GetDatabase();
            // Use Redis's clock, so that all replicas agree which of two generations is newer.
            var generation = NewGeneration(organization.Value, await GenerationStore.TimeAsync(database));
            Adopt(organization.Value, generation);
            _staleEntries.Add(organization.Value);
            await _store.WriteAsync(database, organization.Value, generation);
            _ = connection.GetSubscriber().PublishAsync(Notices, organization.Value, CommandFlags.FireAndForget);
        }
        catch (Exception e)
        {
            Adopt(organization.Value, NewGeneration(organization.Value, time.GetUtcNow()));
            _staleEntries.Add(organization.Value);
            redis.Suspect(e);
            Log.InvalidatedHereOnly(logger, organization.Value, RedisProblem.KindOf(e));
            return false;
        }

        try
        {
            await DeleteOutdatedAsync(organization.Value).WaitAsync(LongestPass);
        }
        catch (Exception e)
        {
            Log.StaleEntriesNotDeleted(logger, organization.Value, RedisProblem.KindOf(e));
        }

        return true;
    }

    // The pass that is joined may have begun before the organization was added to it.
    private async Task DeleteOutdatedAsync(string organization)
    {
        while (_staleEntries.Contains(organization)) await DeleteOutdatedAsync();
    }

    private Task<bool> DeleteOutdatedAsync() => flights.JoinAsync(cache.GenerationsKey + " outdated", async () =>
    {
        await _staleEntries.DeleteAsync(GenerationOf);
        return true;
    });

    /// <summary>Begins to connect, while the host's other services start.</summary>
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        _firstPoll = Task.Run(PollAsync, cancellationToken);
        return Task.CompletedTask;
    }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        // Load the generations before the first read from Redis: entries of an older generation must not be served.
        // A host of WebHostBuilder knows no StartingAsync.
        await (_firstPoll ?? PollAsync());
        await base.StartAsync(cancellationToken);
    }

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (cache.Redis is not { } redis) return;
        var subscribed = false;
        using var timer = new PeriodicTimer(PollInterval, time);
        var (tick, notice) = (timer.WaitForNextTickAsync(stoppingToken).AsTask(), _notices.Reader.ReadAsync(stoppingToken).AsTask());
        while (true)
        {
            try
            {
                if (!subscribed)
                {
                    var subscriber = (await redis.GetAsync().WaitAsync(GenerationStore.LongestWait, stoppingToken)).GetSubscriber();
                    var subscribing = subscriber.SubscribeAsync(Notices, (_, _) => _notices.Writer.TryWrite(true));
                    await subscribing.ObserveException().WaitAsync(GenerationStore.LongestWait, stoppingToken);
                }

                subscribed = true;
            }
            catch (Exception) when (!stoppingToken.IsCancellationRequested)
            {
                // The next poll tries again. The client itself renews a subscription that was established once.
            }

            await PollAsync();
            await Task.Delay(s_leastBetweenPolls, TimeProvider.System, stoppingToken);
            await Task.WhenAny(tick, notice);
            if (tick.IsCompleted && await tick) tick = timer.WaitForNextTickAsync(stoppingToken).AsTask();
            if (notice.IsCompleted && await notice) notice = _notices.Reader.ReadAsync(stoppingToken).AsTask();
        }
    }

    public override void Dispose()
    {
        _staleEntries.Dispose();
        base.Dispose();
    }

    private RedisChannel Notices => RedisChannel.Literal(cache.GenerationsKey);

    private async Task<bool> PollAsync()
    {
        if (cache.Redis is not { } redis) return _isLoaded = true;
        try
        {
            if (await redis.ConnectedAsync() is not { } connection) return _isLoaded;
            var database = connection.GetDatabase();
            var (known, unreadable, isWhole) = await _store.ReadAsync(database);
            foreach (var shared in known)
            {
                // Replicas may have written entries before they knew the new generation: delete those too. Before its first poll a replica writes nothing.
                if (Adopt(shared.Organization, shared.Generation) && _isLoaded) _staleEntries.Add(shared.Organization);
            }

            _isLoaded = true;
            // Not awaited: a pass over all keys can take long, and the next generation must not wait for it.
            if (!_staleEntries.IsEmpty) _ = DeleteOutdatedAsync();
            await TidyAsync(database, known, isWhole);
            await _store.DeleteUnreadableAsync(database, unreadable, _keptFor);
            return true;
        }
        catch (Exception e) when (SealedDistributedCache.IsOfAnotherType(e))
        {
            // As long as this value is there, no invalidation reaches another replica.
            cache.OnEntryRejected(cache.GenerationsKey);
            await RestoreGenerationsAsync(redis);
            return _isLoaded;
        }
        catch (Exception e)
        {
            // Without a response, Redis's entries cannot be read either. If a right is missing, they can, and what other replicas invalidate is still used here:
            // the log and readiness tell it. The client also throws cancellations, when a connection ends. The next poll is soon.
            redis.Suspect(e);
            return _isLoaded;
        }
    }

    // Removes the value unless another replica has done so and written its generations, and writes the known ones.
    private async Task RestoreGenerationsAsync(RedisConnection redis)
    {
        try
        {
            if (await redis.ConnectedAsync() is not { } connection) return;
            var database = connection.GetDatabase();
            await _store.RemoveUnlessHashAsync(database);
            await TidyAsync(database, [], isWhole: true);
        }
        catch (Exception e)
        {
            // The next poll tries again.
            redis.Suspect(e);
        }
    }

    private async Task TidyAsync(IDatabase database, IReadOnlyList<SharedGeneration> known, bool isWhole)
    {
        var oldest = await OldestAsync(database);
        var fields = known.ToLookup(static shared => shared.Organization, StringComparer.Ordinal);
        foreach (var (organization, generation) in _generations)
        {
            if (oldest.IsNewerThan(generation))
            {
                _generations.TryRemove(KeyValuePair.Create(organization, generation));
                foreach (var old in fields[organization]) await _store.DeleteUnchangedAsync(database, old.Field, old.Sealed);
            }
            else if (isWhole && !_store.IsWritten(organization, generation, fields[organization]))
            {
                // Redis lost this generation, or was unreachable when it was made, or has it under another sealing key. Any replica that knows it writes it.
                await _store.WriteAsync(database, organization, generation);
            }
        }
    }

    // Older generations are over. Redis's clock made their time, and this process's clock that of its entries: a clock that is wrong must not end a generation
    // early.
    private async Task<Generation> OldestAsync(IDatabase database)
    {
        var oldest = Generation.Earliest(time.GetUtcNow() - _keptFor);
        if (!_generations.Values.Any(oldest.IsNewerThan)) return oldest;
        var oldestInRedis = Generation.Earliest(await GenerationStore.TimeAsync(database) - _keptFor);
        return oldest.IsNewerThan(oldestInRedis) ? oldestInRedis : oldest;
    }

    // True if the generation is newer than the one that was known.
    private bool Adopt(string organization, Generation generation)
    {
        var isNewer = false;
        _generations.AddOrUpdate(
            organization,
            _ =>
            {
                isNewer = true;
                return generation;
            },
            (_, known) =>
            {
                isNewer = generation.IsNewerThan(known);
                return isNewer ? generation : known;
            });
        return isNewer;
    }

    private Generation NewGeneration(string organization, DateTimeOffset at) =>
        Generation.Create(at, _generations.TryGetValue(organization, out var last) ? last : null);

    private static TimeSpan LongestUse(DirectoryOptions? directory) => directory is null ? StsLimits.LongestSession
        : new[] { StsLimits.LongestSession, directory.CacheFor + directory.StaleFor, directory.UnknownFor }.Max();
}
