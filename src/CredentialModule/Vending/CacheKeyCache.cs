using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Options;

namespace IotCredentials.Vending;

/// <summary>
/// Caches computed cache keys by all their inputs, so that a request does not render and hash a policy again. A changed input is a different entry at once.
/// Entries expire five minutes after their last use, including those of profiles before a reload.
/// </summary>
internal sealed class CacheKeyCache(IOptions<IotCredentialsOptions> options) : IDisposable
{
    private static readonly MemoryCacheEntryOptions s_entryOptions = new() { Size = 1, SlidingExpiration = TimeSpan.FromMinutes(5) };

    private readonly MemoryCache _keys = new(new MemoryCacheOptions { SizeLimit = options.Value.Cache.MaxEntries });

    /// <param name="inputs">Everything that determines the key, compared by value.</param>
    /// <param name="make">Computes the key from its argument alone.</param>
    public string Of<T>(T inputs, Func<T, string> make) where T : notnull =>
        _keys.TryGetValue(inputs, out string? known) && known is not null ? known : _keys.Set(inputs, make(inputs), s_entryOptions);

    public void Dispose() => _keys.Dispose();
}
