using Microsoft.Extensions.Internal;

namespace IotCredentials.Caching;

/// <summary>
/// The clock of a <see cref="Microsoft.Extensions.Caching.Memory.MemoryCache"/>, which does not accept a <see cref="TimeProvider"/>. It counts on when the
/// system's clock is set, so that entries live as long as they should.
/// </summary>
internal sealed class MemoryClock(TimeProvider time) : ISystemClock
{
    private readonly DateTimeOffset _start = time.GetUtcNow();
    private readonly long _begun = time.GetTimestamp();

    public DateTimeOffset UtcNow => _start + time.GetElapsedTime(_begun);
}
