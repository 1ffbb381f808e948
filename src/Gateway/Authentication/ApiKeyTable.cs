using System.Security.Cryptography;
using System.Text;
using Gateway.Configuration;
using Gateway.Configuration.Snapshots;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Primitives;

namespace Gateway.Authentication;

/// <summary>The API keys of the configuration in effect. They are looked up by their hash; a key itself is kept nowhere.</summary>
internal sealed class ApiKeyTable : IDisposable
{
    private readonly SnapshotConfigurationProvider _snapshots;
    private readonly TimeProvider _time;
    private readonly Func<ApiKey, bool> _isRevoked;
    private readonly IDisposable _changes;
    private readonly Lock _reading = new();
    private volatile Keys _current = new(null, [], []);

    public ApiKeyTable(SnapshotConfigurationProvider snapshots, TimeProvider time)
    {
        (_snapshots, _time) = (snapshots, time);
        _isRevoked = key => !_current.ByName.TryGetValue(key.Name, out var current) || current != key;
        _changes = ChangeToken.OnChange(snapshots.GetReloadToken, Read);
        Read();
    }

    /// <summary>The request header that holds a key; null when no keys are accepted.</summary>
    public string? Header => _current.Header;

    /// <summary>The configured key with a well-formed text; null when there is none. A key that has expired is found, too.</summary>
    public ApiKey? Find(ReadOnlySpan<char> text)
    {
        Span<byte> ascii = stackalloc byte[ApiKeyText.Longest];
        var length = Encoding.ASCII.GetBytes(text, ascii);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(ascii[..length], hash);
        CryptographicOperations.ZeroMemory(ascii[..length]);
        return _current.ByHash.TryGetValue(BitConverter.ToUInt128(hash), out var key) && key.Has(hash) ? key : null;
    }

    public bool HasExpired(ApiKey key) => key.HasExpired(_time.GetUtcNow());

    /// <summary>The result for requests with a key.</summary>
    public Task<AuthenticateResult> ResultOf(ApiKey key) => key.ResultFor(_isRevoked);

    public void Dispose() => _changes.Dispose();

    private void Read()
    {
        // The configuration can change while the first is read.
        using var _ = _reading.EnterScope();
        var options = _snapshots.Current.Options.Authentication;
        var before = _current.ByName;
        var entries = options.ApiKeys?.Keys ?? new Dictionary<string, ApiKeyOptions>();
        var byName = new Dictionary<string, ApiKey>(entries.Count, StringComparer.Ordinal);
        var byHash = new Dictionary<UInt128, ApiKey>(entries.Count);
        foreach (var (name, entry) in entries)
        {
            var key = before.TryGetValue(name, out var known) && known.IsFor(entry) ? known : new ApiKey(name, entry);
            byName.Add(name, key);
            byHash.TryAdd(BitConverter.ToUInt128(key.Hash), key);
        }

        _current = new(options.KeyHeader, byName, byHash);
    }

    private sealed record Keys(string? Header, Dictionary<string, ApiKey> ByName, Dictionary<UInt128, ApiKey> ByHash);
}
