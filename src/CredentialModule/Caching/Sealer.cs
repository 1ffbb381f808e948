using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace IotCredentials.Caching;

/// <summary>
/// Seals entries for Redis (AES-256-GCM) and binds them to the name that they are stored under: an entry that was moved, swapped, edited or forged does not
/// open. Layout: version (1), key id (4), nonce (12), tag (16), ciphertext; the associated data is the version, the key id and the name.
/// </summary>
internal sealed class Sealer(SealingKeys keys)
{
    // Another version needs names of its own in Redis: under a name of this one, an entry that does not open is taken for forged.
    private const byte Version = 1;
    private const int Header = 1 + 4;
    private const int NonceSize = 12;
    private const int TagSize = 16;

    /// <summary>The ids of the keys. The first key is the one that seals.</summary>
    public IReadOnlyList<string> KeyIds { get; } = keys.Ids;

    public byte[] Seal(string name, ReadOnlySpan<byte> value)
    {
        var (id, secret) = keys.First;
        var entry = new byte[Header + NonceSize + TagSize + value.Length];
        entry[0] = Version;
        BinaryPrimitives.WriteUInt32BigEndian(entry.AsSpan(1), id);
        var nonce = entry.AsSpan(Header, NonceSize);
        RandomNumberGenerator.Fill(nonce);
        using var cipher = new AesGcm(secret, TagSize);
        cipher.Encrypt(nonce, value, entry.AsSpan(Header + NonceSize + TagSize), entry.AsSpan(Header + NonceSize, TagSize), Bound(name, entry));
        return entry;
    }

    /// <summary>The value that was sealed under a name; null if the entry cannot be opened.</summary>
    /// <param name="name">The name.</param>
    /// <param name="entry">The entry.</param>
    /// <param name="isForged">Whether the entry fails authentication, which does not happen by accident.</param>
    public byte[]? Open(string name, byte[]? entry, out bool isForged)
    {
        isForged = false;
        // Another version, or a key that is no longer (or not yet) in the file, is normal during a rolling update: treat it as a plain miss.
        if (entry is null || entry.Length < Header + NonceSize + TagSize || entry[0] != Version) return null;
        if (keys.Find(BinaryPrimitives.ReadUInt32BigEndian(entry.AsSpan(1))) is not { } secret) return null;

        var value = new byte[entry.Length - Header - NonceSize - TagSize];
        using var cipher = new AesGcm(secret, TagSize);
        try
        {
            cipher.Decrypt(
                entry.AsSpan(Header, NonceSize),
                entry.AsSpan(Header + NonceSize + TagSize),
                entry.AsSpan(Header + NonceSize, TagSize),
                value,
                Bound(name, entry));
            return value;
        }
        catch (AuthenticationTagMismatchException)
        {
            isForged = true;
            return null;
        }
    }

    private static byte[] Bound(string name, ReadOnlySpan<byte> entry) => [.. entry[..Header], .. Encoding.UTF8.GetBytes(name)];
}
