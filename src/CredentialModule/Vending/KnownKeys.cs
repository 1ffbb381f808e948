using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Options;

namespace CredentialModule.Vending;

/// <summary>
/// The cache keys of what was asked for lately, so that not every request renders and hashes anew. Under everything that a key is made of:
/// whatever of it changes is another key at once. What nobody asks for any more is forgotten, the profiles before a reload among it.
/// </summary>
internal sealed class KnownKeys(IOptions<IotCredentialsOptions> options) : IDisposable
{
    private static readonly MemoryCacheEntryOptions s_lately = new() { Size = 1, SlidingExpiration = TimeSpan.FromMinutes(5) };

    private readonly MemoryCache _keys = new(new MemoryCacheOptions { SizeLimit = options.Value.Cache.MaxEntries });

    /// <param name="inputs">Everything that the key is made of, compared by value.</param>
    /// <param name="make">Makes the key of nothing but its argument.</param>
    public string Of<T>(T inputs, Func<T, string> make) where T : notnull =>
        _keys.TryGetValue(inputs, out string? known) && known is not null ? known : _keys.Set(inputs, make(inputs), s_lately);

    public void Dispose() => _keys.Dispose();
}
