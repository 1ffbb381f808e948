using Microsoft.Extensions.Internal;

namespace IotCredentials.Caching;

/// <summary>The clock of a <see cref="Microsoft.Extensions.Caching.Memory.MemoryCache"/>, which does not accept a <see cref="TimeProvider"/>.</summary>
internal sealed class MemoryClock(TimeProvider time) : ISystemClock
{
    public DateTimeOffset UtcNow => time.GetUtcNow();
}
