using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Gateway.Networking;

/// <summary>Binds <c>Kestrel:Limits</c>. Kestrel itself reads only endpoints and certificates from its section.</summary>
internal static class KestrelLimits
{
    public const string Section = "Kestrel:Limits";

    private static readonly string[] s_rates = [nameof(KestrelServerLimits.MinRequestBodyDataRate), nameof(KestrelServerLimits.MinResponseDataRate)];

    /// <summary>Sets the configured limits. The others keep Kestrel's defaults.</summary>
    /// <exception cref="InvalidOperationException">A value is out of range, or a rate is incomplete.</exception>
    public static void Bind(IConfiguration configuration, KestrelServerLimits limits)
    {
        var section = configuration.GetSection(Section);
        foreach (var rate in section.GetChildren().Where(child => s_rates.Contains(child.Key, StringComparer.OrdinalIgnoreCase)))
        {
            // A rate is immutable, and the binder would keep the existing one.
            var property = typeof(KestrelServerLimits).GetProperty(s_rates.First(name => name.Equals(rate.Key, StringComparison.OrdinalIgnoreCase)))!;
            property.SetValue(limits, null);
        }

        section.Bind(limits);
    }
}
