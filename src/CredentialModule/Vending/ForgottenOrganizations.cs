using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Channels;
using CredentialModule.Caching;
using CredentialModule.Telemetry;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace CredentialModule.Vending;

/// <summary>
/// Which organizations' credentials are forgotten. The mark of an organization is part of its cache key: a new mark puts everything that was
/// vended before out of reach, a renewal that was under way included. Replicas learn of a mark by a notice, and by looking every few seconds. The entries
/// that it put out of reach are deleted from Redis, so that they stay so if the mark is lost.
/// </summary>
internal sealed partial class ForgottenOrganizations(CredentialCache cache, SingleFlight flights, TimeProvider time, ILogger<ForgottenOrganizations> logger) : BackgroundService
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);

    // Whoever can publish in Redis must not make replicas do nothing but look.
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPass = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(2);

    // Longer than any session lives: what a mark put out of reach has expired by then.
    private static readonly TimeSpan KeptFor = TimeSpan.FromHours(13);

    private const int TimeLength = 15;

    private readonly ConcurrentDictionary<string, string> _marks = new(StringComparer.Ordinal);
    private readonly OutdatedEntries _outdated = new(cache);

    // Notices that come while one waits for a look are answered by that look.
    private readonly Channel<bool> _notices = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private volatile bool _looked;

    /// <summary>Whether it is known what was forgotten before this process began; looks, where it is not.</summary>
    public async ValueTask<bool> HasLookedAsync() => _looked || await flights.JoinAsync(cache.ForgottenKey, LookAsync);

    /// <summary>The organization's mark; null when it was not forgotten.</summary>
    public string? MarkOf(string organization) => _marks.GetValueOrDefault(organization);

    /// <summary>Forgets an organization here, and in every replica. False when the others could not be told.</summary>
    public async Task<bool> ForgetAsync(OrganizationId organization)
    {
        if (cache.Redis is not { } redis)
        {
            Adopt(organization.Value, NewMark(organization.Value, time.GetUtcNow()));
            return true;
        }

        _outdated.Add(organization.Value);
        try
        {
            var connection = await redis.GetAsync().WaitAsync(LongestWait);
            var database = connection.GetDatabase();
            // Redis's clock, so that of two marks every replica takes the same one for the newer.
            var mark = NewMark(organization.Value, TimeOf((RedisResult[])(await database.ExecuteAsync("TIME"))!));
            Adopt(organization.Value, mark);
            await database.HashSetAsync(cache.ForgottenKey, organization.Value, Seal(organization.Value, mark));
            _ = connection.GetSubscriber().PublishAsync(Notices, organization.Value, CommandFlags.FireAndForget);
        }
        catch (Exception e)
        {
            Adopt(organization.Value, NewMark(organization.Value, time.GetUtcNow()));
            Log.NotShared(logger, organization.Value, RedisProblem.KindOf(e));
            return false;
        }

        try
        {
            await DeleteOutdatedAsync().WaitAsync(LongestPass);
        }
        catch (Exception e)
        {
            Log.NotDeleted(logger, organization.Value, RedisProblem.KindOf(e));
        }

        return true;
    }

    private Task<bool> DeleteOutdatedAsync() => flights.JoinAsync(cache.ForgottenKey + " outdated", async () =>
    {
        await _outdated.DeleteAsync(MarkOf);
        return true;
    });

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        // Before anything is read from Redis: what is there under an older mark must not be served.
        await LookAsync();
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (cache.Redis is not { } redis) return;
        var subscribed = false;
        using var timer = new PeriodicTimer(LookEvery, time);
        var (tick, notice) = (timer.WaitForNextTickAsync(stoppingToken).AsTask(), _notices.Reader.ReadAsync(stoppingToken).AsTask());
        while (true)
        {
            try
            {
                if (!subscribed) await (await redis.GetAsync().WaitAsync(LongestWait, stoppingToken)).GetSubscriber().SubscribeAsync(Notices, (_, _) => _notices.Writer.TryWrite(true));
                subscribed = true;
            }
            catch (Exception) when (!stoppingToken.IsCancellationRequested)
            {
                // The next look tries again; a subscription that once held is renewed by the client itself.
            }

            await LookAsync();
            await Task.Delay(BetweenLooks, TimeProvider.System, stoppingToken);
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

    private RedisChannel Notices => RedisChannel.Literal(cache.ForgottenKey);

    private async Task<bool> LookAsync()
    {
        if (cache.Redis is not { } redis) return _looked = true;
        try
        {
            var database = (await redis.GetAsync().WaitAsync(LongestWait)).GetDatabase();
            var known = new Dictionary<string, (string Mark, RedisValue Sealed)>(StringComparer.Ordinal);
            var forged = 0;
            foreach (var field in await database.HashGetAllAsync(cache.ForgottenKey))
            {
                // Sealed, so that whoever can write to Redis cannot forget, or keep from being forgotten, in an operator's name.
                if (Open(field.Name!, field.Value, out var isForged) is { } mark) known.Add(field.Name!, (mark, field.Value));
                if (isForged) forged++;
            }

            if (forged > 0) cache.MarksRefused(forged);
            foreach (var (organization, shared) in known)
            {
                // What a replica that did not know the mark wrote meanwhile goes as well. Before the first look it wrote nothing.
                if (Adopt(organization, shared.Mark) && _looked) _outdated.Add(organization);
            }

            _looked = true;
            await TidyAsync(database, known);
            // A pass over all keys can take long, and the next mark must not wait for it.
            if (!_outdated.IsEmpty) _ = DeleteOutdatedAsync();
            return true;
        }
        catch (Exception)
        {
            // Out of reach: so is what it holds. The next look is soon. The client cancels its commands itself when a connection ends.
            return _looked;
        }
    }

    private async Task TidyAsync(IDatabase database, Dictionary<string, (string Mark, RedisValue Sealed)> known)
    {
        var oldest = Time(time.GetUtcNow() - KeptFor);
        foreach (var (organization, mark) in _marks)
        {
            if (string.CompareOrdinal(mark, oldest) < 0)
            {
                _marks.TryRemove(KeyValuePair.Create(organization, mark));
                if (!known.TryGetValue(organization, out var old)) continue;
                // Only what was seen: another replica may have made a new mark meanwhile.
                var removal = database.CreateTransaction();
                removal.AddCondition(Condition.HashEqual(cache.ForgottenKey, organization, old.Sealed));
                _ = removal.HashDeleteAsync(cache.ForgottenKey, organization);
                await removal.ExecuteAsync();
            }
            else if (!known.TryGetValue(organization, out var shared) || string.CompareOrdinal(shared.Mark, mark) < 0)
            {
                // A Redis that lost it, or could not be told, learns it from whoever knows.
                await database.HashSetAsync(cache.ForgottenKey, organization, Seal(organization, mark));
            }
        }
    }

    private RedisValue Seal(string organization, string mark) => cache.Sealer!.Seal($"{cache.ForgottenKey} {organization}", Encoding.ASCII.GetBytes(mark));

    private string? Open(string organization, RedisValue value, out bool isForged) =>
        cache.Sealer!.Open($"{cache.ForgottenKey} {organization}", value, out isForged) is { } mark ? Encoding.ASCII.GetString(mark) : null;

    /// <summary>Takes a mark if it is newer. Marks begin with their time, so that the newer one is the greater one.</summary>
    private bool Adopt(string organization, string mark) =>
        ReferenceEquals(mark, _marks.AddOrUpdate(organization, mark, (_, known) => string.CompareOrdinal(mark, known) > 0 ? mark : known));

    private string NewMark(string organization, DateTimeOffset at)
    {
        // A clock behind the one that made the last mark must not make a new one that is older.
        if (MarkOf(organization) is { } last && string.CompareOrdinal(last, Time(at)) > 0)
            at = DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(last.AsSpan(0, TimeLength), CultureInfo.InvariantCulture) + 1);
        return $"{Time(at)}-{RandomNumberGenerator.GetHexString(8)}";
    }

    private static string Time(DateTimeOffset at) => at.ToUnixTimeMilliseconds().ToString($"D{TimeLength}", CultureInfo.InvariantCulture);

    private static DateTimeOffset TimeOf(RedisResult[] secondsAndMicroseconds) =>
        DateTimeOffset.FromUnixTimeSeconds((long)secondsAndMicroseconds[0]).AddMicroseconds((long)secondsAndMicroseconds[1]);

    private static partial class Log
    {
        [LoggerMessage(EventIds.OutdatedNotDeleted, LogLevel.Error,
            "The credentials of {Organization} are forgotten, but what was vended before could not be deleted from Redis ({Kind}). It is tried again, and no replica "
            + "serves it; see that the gateway's user in Redis may SCAN and UNLINK")]
        public static partial void NotDeleted(ILogger logger, string organization, string kind);

        [LoggerMessage(EventIds.ForgottenHereOnly, LogLevel.Error,
            "The credentials of {Organization} are forgotten here, but Redis did not take it ({Kind}): repeat the DELETE, other replicas may still serve them")]
        public static partial void NotShared(ILogger logger, string organization, string kind);
    }
}
