using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Caching.Memory;

namespace CredentialModule.Vending;

/// <summary>Remembers briefly that something failed, by class, so that a failure answers everybody and is not tried again by each.</summary>
internal sealed class FailureMemory(TimeProvider time) : IDisposable
{
    private const int MostRemembered = 10_000;

    private readonly MemoryCache _memory = new(new MemoryCacheOptions { SizeLimit = MostRemembered });

    private sealed record Remembered(VendingException Failure, DateTimeOffset Until);

    public static TimeSpan Span(FailureClass failure) => failure switch
    {
        FailureClass.Throttled => TimeSpan.FromSeconds(5),
        FailureClass.Refused => TimeSpan.FromSeconds(30),
        _ => TimeSpan.FromSeconds(2),
    };

    public bool Remembers(string key) => TryRecall(key, out _);

    /// <exception cref="VendingException">What was remembered, or what the run threw.</exception>
    public async Task<T> GuardAsync<T>(string key, Func<Task<T>> run)
    {
        if (TryRecall(key, out var known)) throw known.Failure;
        try
        {
            return await run();
        }
        catch (VendingException e)
        {
            var span = Span(e.Failure);
            _memory.Set(key, new Remembered(e, time.GetUtcNow() + span), new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = span });
            throw;
        }
    }

    private bool TryRecall(string key, [NotNullWhen(true)] out Remembered? known) =>
        _memory.TryGetValue(key, out known) && known is not null && time.GetUtcNow() < known.Until;

    public void Dispose() => _memory.Dispose();
}
