using System.Globalization;
using System.Security.Cryptography;

namespace IotCredentials.Vending;

/// <summary>
/// A generation of an organization's cache keys. Its text begins with its time, so that the text of a newer one sorts after that of an older one.
/// </summary>
internal readonly record struct Generation(string Text)
{
    private const int TimeLength = 15;

    /// <summary>Creates a generation that is newer than the last one, even if the last one is ahead of this clock.</summary>
    public static Generation Create(DateTimeOffset now, Generation? last)
    {
        var time = last is { } known && known.IsNewerThan(Earliest(now)) ? known.Time.AddMilliseconds(1) : now;
        return new($"{Earliest(time).Text}-{RandomNumberGenerator.GetHexString(8)}");
    }

    /// <summary>A bound for comparisons: all generations of this time are newer.</summary>
    public static Generation Earliest(DateTimeOffset time) =>
        new(time.ToUnixTimeMilliseconds().ToString($"D{TimeLength}", CultureInfo.InvariantCulture));

    public bool IsNewerThan(Generation other) => string.CompareOrdinal(Text, other.Text) > 0;

    private DateTimeOffset Time => DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(Text.AsSpan(0, TimeLength), CultureInfo.InvariantCulture));
}
