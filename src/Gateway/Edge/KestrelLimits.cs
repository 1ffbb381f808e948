using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Gateway.Edge;

/// <summary><c>Kestrel:Limits</c>. Of its section Kestrel itself reads endpoints and certificates only.</summary>
internal static class KestrelLimits
{
    public const string Section = "Kestrel:Limits";

    private static readonly string[] s_rates = [nameof(KestrelServerLimits.MinRequestBodyDataRate), nameof(KestrelServerLimits.MinResponseDataRate)];

    /// <summary>Sets the limits that are written; what is not written stays Kestrel's.</summary>
    /// <exception cref="InvalidOperationException">A value is out of range, or half a rate.</exception>
    public static void Bind(IConfiguration configuration, KestrelServerLimits limits)
    {
        var section = configuration.GetSection(Section);
        foreach (var rate in section.GetChildren().Where(child => s_rates.Contains(child.Key, StringComparer.OrdinalIgnoreCase)))
        {
            // A rate cannot be changed, and the binder would leave the one that is there.
            var property = typeof(KestrelServerLimits).GetProperty(s_rates.First(name => name.Equals(rate.Key, StringComparison.OrdinalIgnoreCase)))!;
            property.SetValue(limits, null);
        }

        section.Bind(limits);
    }
}
