using System.Globalization;
using System.Security.Cryptography;
using IotCredentials.Failures;

namespace IotCredentials.Caching;

/// <summary>
/// The keys that seal entries in Redis: a file with one base64 256-bit key per line. The first key seals and all keys open, so that keys can be rotated. The
/// file is never in Redis: a client that can write there must not be able to add a key.
/// </summary>
public sealed class SealingKeys
{
    private const int KeySize = 32;
    private readonly (uint Id, byte[] Key)[] _keys;

    private SealingKeys((uint, byte[])[] keys) => _keys = keys;

    internal (uint Id, byte[] Key) First => _keys[0];

    /// <summary>The keys' ids in hexadecimal, in the order of the file.</summary>
    internal IReadOnlyList<string> Ids => [.. _keys.Select(static key => key.Id.ToString("x8", CultureInfo.InvariantCulture))];

    internal byte[]? Find(uint id) => Array.Find(_keys, key => key.Id == id).Key;

    /// <exception cref="InvalidDataException">The file holds no key, or a line that is not a key. The message names the line, never its content.</exception>
    internal static SealingKeys Read(string path)
    {
        if (SpecialFile.Is(path)) throw new InvalidDataException($"{path} {SpecialFile.Problem}");
        var keys = new List<(uint, byte[])>();
        var number = 0;
        foreach (var line in File.ReadLines(path))
        {
            number++;
            if (line.AsSpan().Trim().IsEmpty) continue;
            var key = KeyOf(line.Trim())
                ?? throw new InvalidDataException($"{path}, line {number}: not a base64 256-bit key (make one with `openssl rand -base64 32`)");
            keys.Add((IdOf(key), key));
        }

        return keys.Count > 0 ? new([.. keys]) : throw new InvalidDataException($"{path}: holds no key (make one with `openssl rand -base64 32`)");
    }

    /// <summary>Whether a line of the file is a key.</summary>
    public static bool IsKey(string line) => KeyOf(line) is not null;

    /// <summary>The key on a line; null if the line is not a key.</summary>
    internal static byte[]? KeyOf(string line)
    {
        var key = new byte[KeySize];
        return Convert.TryFromBase64String(line, key, out var length) && length == KeySize ? key : null;
    }

    private static uint IdOf(byte[] key) => BitConverter.ToUInt32(SHA256.HashData(key));
}
