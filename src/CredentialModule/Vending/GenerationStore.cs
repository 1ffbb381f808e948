using System.Security.Cryptography;
using System.Text;
using IotCredentials.Caching;
using IotCredentials.Failures;
using IotCredentials.Telemetry;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace IotCredentials.Vending;

/// <summary>A generation that is kept in Redis.</summary>
/// <param name="Organization">The organization.</param>
/// <param name="Generation">Its generation.</param>
/// <param name="Field">The field that holds it.</param>
/// <param name="Sealed">The value of the field.</param>
internal sealed record SharedGeneration(string Organization, Generation Generation, string Field, RedisValue Sealed);

/// <summary>
/// The generations that replicas share: a hash in Redis with a field for each organization. They are sealed, so that a client that can write to Redis cannot
/// forge one. Its methods throw if Redis cannot be used.
/// </summary>
internal sealed class GenerationStore(CredentialCache cache, TimeProvider time, ILogger logger)
{
    /// <summary>The longest wait for the response to a command.</summary>
    internal static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(2);

    // No organization id and no id of a sealing key has one.
    private const char Separator = '.';

    // In Lua an error is a table with its text in err. Any other error than that of the type, such as a missing right, removes nothing.
    private const string RemoveUnlessHash = """
        local found = redis.pcall('HGET', KEYS[1], '')
        if type(found) == 'table' and string.find(found.err, 'WRONGTYPE', 1, true) then return redis.call('DEL', KEYS[1]) end
        return 0
        """;

    // A field is an organization's id and that of a sealing key, and its value a sealed time.
    private const int LongestText = 256;
    internal const int MostFields = 100_000;

    // Returns the names and values, and how many fields were left out. A field that is too long is none of any version and is removed, if Redis takes writes.
    private const string ReadBounded = """
        local all, found, kept, refused = redis.call('HGETALL', KEYS[1]), {}, 0, 0
        for i = 1, #all, 2 do
            if #all[i] > tonumber(ARGV[1]) or #all[i + 1] > tonumber(ARGV[1]) then
                redis.pcall('HDEL', KEYS[1], all[i])
                refused = refused + 1
            elseif kept == tonumber(ARGV[2]) then
                refused = refused + 1
            else
                kept = kept + 1
                found[2 * kept - 1], found[2 * kept] = all[i], all[i + 1]
            end
        end
        return {refused, found}
        """;

    // When each unreadable field was first read, by the field and the hash of its value.
    private Dictionary<(string Field, string Hash), long> _unreadable = [];

    /// <summary>Reads the generations. Reports the forged ones, and those that are too long or too many to read: then what is known is not all.</summary>
    public async Task<(IReadOnlyList<SharedGeneration> Known, IReadOnlyList<HashEntry> Unreadable, bool IsWhole)> ReadAsync(IDatabase database)
    {
        var known = new List<SharedGeneration>();
        var unreadable = new List<HashEntry>();
        var result = (RedisResult[])(await Bounded(database.ScriptEvaluateAsync(ReadBounded, [cache.GenerationsKey], [LongestText, MostFields])))!;
        var rejected = (int)result[0];
        var isWhole = rejected == 0;
        foreach (var pair in ((RedisValue[])result[1]!).Chunk(2))
        {
            string field = pair[0]!;
            if (cache.Sealer!.Open(SealedNameOf(field), pair[1], out var isForged) is { } generation)
                known.Add(new(field.Split(Separator)[0], new(Encoding.ASCII.GetString(generation)), field, pair[1]));
            else if (isForged) rejected++;
            else unreadable.Add(new(pair[0], pair[1]));
        }

        if (rejected > 0) cache.OnGenerationsRejected(rejected);
        return (known, unreadable, isWhole);
    }

    /// <summary>Writes a generation.</summary>
    public Task WriteAsync(IDatabase database, string organization, Generation generation)
    {
        var field = FieldOf(organization);
        var value = cache.Sealer!.Seal(SealedNameOf(field), Encoding.ASCII.GetBytes(generation.Text));
        return Bounded(database.HashSetAsync(cache.GenerationsKey, field, value));
    }

    /// <summary>Whether one of the fields holds the generation, or a newer one, under this replica's sealing key.</summary>
    public bool IsWritten(string organization, Generation generation, IEnumerable<SharedGeneration> shared)
    {
        var field = FieldOf(organization);
        return shared.Any(known => known.Field == field && !generation.IsNewerThan(known.Generation));
    }

    /// <summary>Deletes a field if it still has the value that was read: another replica may have written a new generation since.</summary>
    public Task DeleteUnchangedAsync(IDatabase database, RedisValue field, RedisValue value)
    {
        var removal = database.CreateTransaction();
        removal.AddCondition(Condition.HashEqual(cache.GenerationsKey, field, value));
        _ = removal.HashDeleteAsync(cache.GenerationsKey, field);
        return Bounded(removal.ExecuteAsync());
    }

    /// <summary>
    /// Deletes the fields that have been unreadable for <paramref name="keptFor"/>. Fields of a key that is no longer in use are deleted in the end, unless a
    /// replica that still uses it has written them again.
    /// </summary>
    public async Task DeleteUnreadableAsync(IDatabase database, IReadOnlyList<HashEntry> fields, TimeSpan keptFor)
    {
        if (fields.Count > 0 && _unreadable.Count == 0) Log.GenerationsUnreadable(logger, fields.Count, cache.GenerationsKey);
        var unreadable = new Dictionary<(string, string), long>();
        foreach (var entry in fields)
        {
            // As text, because two values in Redis are equal if both are the same number.
            var key = (entry.Name.ToString(), Convert.ToHexString(SHA256.HashData((byte[])entry.Value!)));
            var since = unreadable[key] = _unreadable.GetValueOrDefault(key, time.GetTimestamp());
            if (time.GetElapsedTime(since) >= keptFor) await DeleteUnchangedAsync(database, entry.Name, entry.Value);
        }

        _unreadable = unreadable;
    }

    /// <summary>Removes a value of another type, unless another replica has done so and written its generations.</summary>
    public Task RemoveUnlessHashAsync(IDatabase database) => Bounded(database.ScriptEvaluateAsync(RemoveUnlessHash, [cache.GenerationsKey]));

    /// <summary>The time by Redis's clock.</summary>
    public static async Task<DateTimeOffset> TimeAsync(IDatabase database)
    {
        var secondsAndMicroseconds = (RedisResult[])(await Bounded(database.ExecuteAsync("TIME")))!;
        return DateTimeOffset.FromUnixTimeSeconds((long)secondsAndMicroseconds[0]).AddMicroseconds((long)secondsAndMicroseconds[1]);
    }

    // Ends in the id of the sealing key, like the name of an entry, so that replicas with different sealing keys do not overwrite each other's generations.
    private string FieldOf(string organization) => $"{organization}{Separator}{cache.Sealer!.KeyIds[0]}";

    private string SealedNameOf(string field) => $"{cache.GenerationsKey} {field}";

    // As for every command: the client can miss that one has timed out.
    private static Task<T> Bounded<T>(Task<T> command) => command.ObserveException().WaitAsync(LongestWait);
}
