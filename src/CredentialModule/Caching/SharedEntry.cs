using System.Text.Json;

namespace IotCredentials.Caching;

/// <summary>
/// The form of an entry in Redis, before it is sealed. It is the form that FusionCache 2 gives an entry, because replicas of versions that use FusionCache
/// share these entries. A change of it needs a new <see cref="KeyPrefix"/>.
/// </summary>
/// <param name="Value">The value.</param>
/// <param name="Timestamp">The time at which the value was made, in ticks (UTC).</param>
/// <param name="LogicalExpirationTimestamp">The time from which the value is no longer used, in ticks (UTC).</param>
/// <param name="Tags">Unused.</param>
/// <param name="Metadata">Unused, and the size that FusionCache counts an entry with.</param>
internal sealed record SharedEntry<T>(T? Value, long Timestamp, long LogicalExpirationTimestamp, string[]? Tags, SharedEntryMetadata? Metadata) where T : class
{
    /// <summary>The beginning of an entry's name in Redis, after the prefix of all keys: the version of this form.</summary>
    public const string KeyPrefix = "v2:";

    public static byte[] Serialize(T value, DateTimeOffset now, TimeSpan lifetime) =>
        JsonSerializer.SerializeToUtf8Bytes(new SharedEntry<T>(value, now.UtcTicks, (now + lifetime).UtcTicks, null, new SharedEntryMetadata()));

    /// <summary>Reads an entry; null if it has expired or does not have this form.</summary>
    public static T? Deserialize(byte[]? entry, DateTimeOffset now, out TimeSpan lifetime)
    {
        lifetime = default;
        try
        {
            if (entry is null || JsonSerializer.Deserialize<SharedEntry<T>>(entry) is not { Value: { } value } read) return null;
            lifetime = TimeSpan.FromTicks(read.LogicalExpirationTimestamp - now.UtcTicks);
            return lifetime > TimeSpan.Zero ? value : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>The part of an entry that only FusionCache uses.</summary>
internal sealed record SharedEntryMetadata(
    bool IsStale = false, long? EagerExpirationTimestamp = null, string? ETag = null, long? LastModifiedTimestamp = null, long? Size = 1, int? Priority = null);
