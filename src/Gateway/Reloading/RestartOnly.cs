using Gateway.Configuration.Snapshots;

namespace Gateway.Reloading;

/// <summary>The keys whose changes need a restart: all keys except those that support live reload.</summary>
internal static class RestartOnly
{
    private static readonly string[] s_live =
    [
        "ReverseProxy", "Services", "Authorization", "RateLimiting", "Cors", "IotCredentials:Profiles", "IotCredentials:Organizations",
        "Authentication:ApiKeys", "AllowedHosts", "Logging", "$schema"
    ];

    /// <summary>Returns an error for each such key whose value differs between two configurations.</summary>
    public static IReadOnlyList<Finding> Changes(Snapshot before, Snapshot after) =>
        [.. before.Values.Keys.Union(after.Values.Keys, StringComparer.OrdinalIgnoreCase)
            .Where(key => !IsLive(key) && before.Values.GetValueOrDefault(key) != after.Values.GetValueOrDefault(key))
            .Select(key => Written(WithoutIndex(key), after))
            .Distinct(StringComparer.OrdinalIgnoreCase)
            .Order(StringComparer.Ordinal)
            .Select(key => new Finding(
                Severity.Error, key, after.SourceOf(key),
                $"needs a restart: {key}. Nothing of the change is used until then; take this key back to use the rest."))];

    private static bool IsLive(string key) => s_live.Any(live =>
        key.StartsWith(live, StringComparison.OrdinalIgnoreCase) && (key.Length == live.Length || key[live.Length] == ':'));

    // The value comes from the file that RedisPath names.
    private static string Written(string key, Snapshot after) =>
        key.Equals("ConnectionStrings:Redis", StringComparison.OrdinalIgnoreCase) && after.Values.ContainsKey("ConnectionStrings:RedisPath")
            ? "ConnectionStrings:RedisPath"
            : key;

    private static string WithoutIndex(string key) => key[(key.LastIndexOf(':') + 1)..].All(char.IsAsciiDigit) ? key[..key.LastIndexOf(':')] : key;
}
