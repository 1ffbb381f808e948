using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Channels;
using IotCredentials.Caching;
using IotCredentials.Failures;
using IotCredentials.Fetching;
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
    private static readonly TimeSpan s_longestPass = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_longestWait = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan s_longestSession = TimeSpan.FromHours(12);
    private static readonly TimeSpan s_margin = TimeSpan.FromHours(1);

    // No organization id and no id of a sealing key has one.
    private const char Separator = '.';

    private const int TimeLength = 15;

    // In Lua an error is a table with its text in err. Any other error than that of the type, such as a missing right, removes nothing.
    private const string RemoveUnlessHash = """
        local found = redis.pcall('HGET', KEYS[1], '')
        if type(found) == 'table' and string.find(found.err, 'WRONGTYPE', 1, true) then return redis.call('DEL', KEYS[1]) end
        return 0
        """;

    private readonly ConcurrentDictionary<string, string> _generations = new(StringComparer.Ordinal);
    private readonly StaleEntryRemoval _outdated = new(cache);

    // All entries of the previous generation have expired by then.
    private readonly TimeSpan _keptFor = LongestUse(options.Value.Directory) + s_margin;

    // One pending notice is enough: the poll that it triggers covers all notices before it.
    private readonly Channel<bool> _notices = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private Task? _firstPoll;
    private Dictionary<(string, string), long> _unreadable = [];
    private volatile bool _isLoaded;

    /// <summary>Whether the generations that existed before this process started are loaded. Loads them if they are not.</summary>
    public async ValueTask<bool> IsLoadedAsync() =>
        _isLoaded || (cache.Redis is not { CircuitBreaker.IsOpen: true } && await flights.JoinAsync(cache.GenerationsKey, PollAsync));

    /// <summary>The organization's generation; null when it was not invalidated.</summary>
    public string? GenerationOf(string organization) => _generations.GetValueOrDefault(organization);

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
            var connection = await redis.GetAsync().WaitAsync(s_longestWait);
            var database = connection.GetDatabase();
            // Use Redis's clock, so that all replicas agree which of two generations is newer.
            var generation = NewGeneration(organization.Value, await TimeAsync(database));
            Adopt(organization.Value, generation);
            _outdated.Add(organization.Value);
            await Bounded(database.HashSetAsync(cache.GenerationsKey, FieldOf(organization.Value), Seal(organization.Value, generation)));
            _ = connection.GetSubscriber().PublishAsync(Notices, organization.Value, CommandFlags.FireAndForget);
        }
        catch (Exception e)
        {
            Adopt(organization.Value, NewGeneration(organization.Value, time.GetUtcNow()));
            _outdated.Add(organization.Value);
            Log.InvalidatedHereOnly(logger, organization.Value, RedisProblem.KindOf(e));
            return false;
        }

        try
        {
            await DeleteOutdatedAsync(organization.Value).WaitAsync(s_longestPass);
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
        while (_outdated.Contains(organization)) await DeleteOutdatedAsync();
    }

    private Task<bool> DeleteOutdatedAsync() => flights.JoinAsync(cache.GenerationsKey + " outdated", async () =>
    {
        await _outdated.DeleteAsync(GenerationOf);
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
                    var subscriber = (await redis.GetAsync().WaitAsync(s_longestWait, stoppingToken)).GetSubscriber();
                    await Bounded(subscriber.SubscribeAsync(Notices, (_, _) => _notices.Writer.TryWrite(true)));
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
        _outdated.Dispose();
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
            var known = new List<SharedGeneration>();
            var unreadable = new List<(RedisValue Field, RedisValue Sealed)>();
            var forged = 0;
            foreach (var field in await Bounded(database.HashGetAllAsync(cache.GenerationsKey)))
            {
                // Generations are sealed, so that a client that can write to Redis cannot forge one.
                if (Open(field.Name!, field.Value, out var isForged) is { } generation) known.Add(new(field.Name!, generation, field.Value));
                else if (isForged) forged++;
                else unreadable.Add((field.Name, field.Value));
            }

            if (forged > 0) cache.GenerationsRefused(forged);
            foreach (var shared in known)
            {
                // Replicas may have written entries before they knew the new generation: delete those too. Before its first poll a replica writes nothing.
                if (Adopt(shared.Organization, shared.Generation) && _isLoaded) _outdated.Add(shared.Organization);
            }

            _isLoaded = true;
            // Not awaited: a pass over all keys can take long, and the next generation must not wait for it.
            if (!_outdated.IsEmpty) _ = DeleteOutdatedAsync();
            await TidyAsync(database, known);
            await TidyUnreadableAsync(database, unreadable);
            return true;
        }
        catch (RedisServerException e) when (SealedDistributedCache.IsOfAnotherType(e))
        {
            // As long as this value is there, no invalidation reaches another replica.
            cache.OnEntryRejected(cache.GenerationsKey);
            await RestoreGenerationsAsync(redis);
            return _isLoaded;
        }
        catch (Exception)
        {
            // Redis is unreachable, and so are its entries. The next poll is soon. The client also throws cancellations, when a connection ends.
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
            await Bounded(database.ScriptEvaluateAsync(RemoveUnlessHash, [cache.GenerationsKey]));
            await TidyAsync(database, []);
        }
        catch (Exception)
        {
            // The next poll tries again.
        }
    }

    private async Task TidyAsync(IDatabase database, IReadOnlyList<SharedGeneration> known)
    {
        var oldest = await OldestAsync(database);
        var fields = known.ToLookup(static shared => shared.Organization, StringComparer.Ordinal);
        foreach (var (organization, generation) in _generations)
        {
            if (string.CompareOrdinal(generation, oldest) < 0)
            {
                _generations.TryRemove(KeyValuePair.Create(organization, generation));
                foreach (var old in fields[organization]) await DeleteAsync(database, old.Field, old.Sealed);
            }
            else if (!fields[organization].Any(shared => shared.Field == FieldOf(organization) && string.CompareOrdinal(shared.Generation, generation) >= 0))
            {
                // Redis lost this generation, or was unreachable when it was made, or has it under another sealing key. Any replica that knows it writes it.
                await Bounded(database.HashSetAsync(cache.GenerationsKey, FieldOf(organization), Seal(organization, generation)));
            }
        }
    }

    // Generations from before this time are over. Redis's clock made their time, and this process's clock that of its entries: a clock that is wrong must not
    // end a generation early.
    private async Task<string> OldestAsync(IDatabase database)
    {
        var oldest = Time(time.GetUtcNow() - _keptFor);
        if (_generations.Values.All(generation => string.CompareOrdinal(generation, oldest) >= 0)) return oldest;
        var oldestInRedis = Time(await TimeAsync(database) - _keptFor);
        return string.CompareOrdinal(oldest, oldestInRedis) < 0 ? oldest : oldestInRedis;
    }

    // Fields of a key that is no longer in use are deleted in the end, unless a replica that still uses it has written them again.
    private async Task TidyUnreadableAsync(IDatabase database, List<(RedisValue Field, RedisValue Sealed)> fields)
    {
        if (fields.Count > 0 && _unreadable.Count == 0) Log.GenerationsUnreadable(logger, fields.Count, cache.GenerationsKey);
        var unreadable = new Dictionary<(string, string), long>();
        foreach (var (field, value) in fields)
        {
            // As text, because two values in Redis are equal if both are the same number.
            var key = (field.ToString(), Convert.ToBase64String((byte[])value!));
            var since = unreadable[key] = _unreadable.GetValueOrDefault(key, time.GetTimestamp());
            if (time.GetElapsedTime(since) >= _keptFor) await DeleteAsync(database, field, value);
        }

        _unreadable = unreadable;
    }

    // Only the value that was read: another replica may have written a new generation since.
    private async Task DeleteAsync(IDatabase database, RedisValue field, RedisValue value)
    {
        var removal = database.CreateTransaction();
        removal.AddCondition(Condition.HashEqual(cache.GenerationsKey, field, value));
        _ = removal.HashDeleteAsync(cache.GenerationsKey, field);
        await Bounded(removal.ExecuteAsync());
    }

    // As for every command: the client can miss that one has timed out.
    private static Task<T> Bounded<T>(Task<T> command) => SingleFlight.Observed(command).WaitAsync(s_longestWait);

    private static Task Bounded(Task command) => SingleFlight.Observed(command).WaitAsync(s_longestWait);

    // Ends in the id of the sealing key, like the name of an entry, so that replicas with different sealing keys do not overwrite each other's generations.
    private string FieldOf(string organization) => $"{organization}{Separator}{cache.Sealer!.KeyIds[0]}";

    private RedisValue Seal(string organization, string generation) =>
        cache.Sealer!.Seal($"{cache.GenerationsKey} {FieldOf(organization)}", Encoding.ASCII.GetBytes(generation));

    private string? Open(string field, RedisValue value, out bool isForged) =>
        cache.Sealer!.Open($"{cache.GenerationsKey} {field}", value, out isForged) is { } generation ? Encoding.ASCII.GetString(generation) : null;

    /// <summary>Adopts a generation if it is newer. Generations begin with their time, so that the newer one sorts after the older.</summary>
    private bool Adopt(string organization, string generation) =>
        ReferenceEquals(
            generation,
            _generations.AddOrUpdate(organization, generation, (_, known) => string.CompareOrdinal(generation, known) > 0 ? generation : known));

    private string NewGeneration(string organization, DateTimeOffset at)
    {
        // If the last generation is ahead of this clock, continue from its time: a new generation must never be older than the last.
        if (GenerationOf(organization) is { } last && string.CompareOrdinal(last, Time(at)) > 0)
            at = DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(last.AsSpan(0, TimeLength), CultureInfo.InvariantCulture) + 1);
        return $"{Time(at)}-{RandomNumberGenerator.GetHexString(8)}";
    }

    private static string Time(DateTimeOffset at) => at.ToUnixTimeMilliseconds().ToString($"D{TimeLength}", CultureInfo.InvariantCulture);

    private static async Task<DateTimeOffset> TimeAsync(IDatabase database)
    {
        var secondsAndMicroseconds = (RedisResult[])(await Bounded(database.ExecuteAsync("TIME")))!;
        return DateTimeOffset.FromUnixTimeSeconds((long)secondsAndMicroseconds[0]).AddMicroseconds((long)secondsAndMicroseconds[1]);
    }

    private static TimeSpan LongestUse(DirectoryOptions? directory) => directory is null ? s_longestSession
        : new[] { s_longestSession, directory.CacheFor + directory.StaleFor, directory.UnknownFor }.Max();

    /// <summary>A generation in Redis.</summary>
    private sealed record SharedGeneration(string Field, string Generation, RedisValue Sealed)
    {
        public string Organization { get; } = Field.Split(Separator)[0];
    }
}
