using StackExchange.Redis;

namespace IotCredentials.Redis;

/// <summary>
/// The client's options: those of the connection string, and defaults for the others. The operator cannot set the timeout of a command, because callers wait
/// for it within <see cref="IotCredentialsOptions.Timeout"/>.
/// </summary>
internal static class RedisClientOptions
{
    private const string ConnectTimeout = "connectTimeout";
    private const string ConnectRetry = "connectRetry";
    private const string TieBreaker = "tiebreaker";
    private const string ConfigurationChannel = "configChannel";

    /// <summary>The options of a connection string that have no effect here, each with the reason.</summary>
    public static IReadOnlyDictionary<string, string> Overridden { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        ["syncTimeout"] = "a command may take a fifth of IotCredentials:Timeout, and at most 1 s",
        ["asyncTimeout"] = "a command may take a fifth of IotCredentials:Timeout, and at most 1 s",
        ["responseTimeout"] = "a command may take a fifth of IotCredentials:Timeout, and at most 1 s",
        ["abortConnect"] = "the gateway starts without Redis, and connects when it is there",
    };

    /// <exception cref="ArgumentException">The text is no connection string.</exception>
    public static ConfigurationOptions Read(string connectionString, TimeSpan commandTimeout)
    {
        var given = NamesIn(connectionString);
        var options = ConfigurationOptions.Parse(connectionString);
        options.AbortOnConnectFail = false;
        options.BacklogPolicy = BacklogPolicy.FailFast;
        options.SyncTimeout = options.AsyncTimeout = (int)commandTimeout.TotalMilliseconds;
        // The client checks for commands that have timed out at its heartbeat.
        options.HeartbeatInterval = TimeSpan.FromMilliseconds(100);
        options.ReconnectRetryPolicy = new ExponentialRetry(500, 2000);
        // No caller waits for a connection, so the handshake may take long, for a server behind a slow network.
        if (!given.Contains(ConnectTimeout)) options.ConnectTimeout = 5000;
        if (!given.Contains(ConnectRetry)) options.ConnectRetry = 1;
        // The tie-breaker and the configuration channel only serve to promote a primary, which this client never does. Without them, the gateway's user needs
        // no rights beyond its own prefix.
        if (!given.Contains(TieBreaker)) options.TieBreaker = "";
        if (!given.Contains(ConfigurationChannel)) options.ConfigurationChannel = "";
        return options;
    }

    /// <summary>The options that a connection string names.</summary>
    public static IReadOnlySet<string> NamesIn(string connectionString) =>
        connectionString.Split(',').Where(static part => part.Contains('=', StringComparison.Ordinal))
            .Select(static part => part[..part.IndexOf('=', StringComparison.Ordinal)].Trim())
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
}
