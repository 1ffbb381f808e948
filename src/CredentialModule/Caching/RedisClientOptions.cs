using StackExchange.Redis;

namespace CredentialModule.Caching;

/// <summary>
/// The client's options: the connection string's, and defaults for those that it leaves out. A command's time is not the operator's to set: callers wait
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

    /// <exception cref="ArgumentException">It is no connection string.</exception>
    public static ConfigurationOptions Read(string connectionString, TimeSpan commandTimeout)
    {
        var given = NamesIn(connectionString);
        var options = ConfigurationOptions.Parse(connectionString);
        options.AbortOnConnectFail = false;
        options.BacklogPolicy = BacklogPolicy.FailFast;
        options.SyncTimeout = options.AsyncTimeout = (int)commandTimeout.TotalMilliseconds;
        // The client looks for commands that are over their time at its heartbeat.
        options.HeartbeatInterval = TimeSpan.FromMilliseconds(100);
        options.ReconnectRetryPolicy = new ExponentialRetry(500, 2000);
        // No caller waits for a connection, so that a server behind a slow network has time for the handshake.
        if (!given.Contains(ConnectTimeout)) options.ConnectTimeout = 5000;
        if (!given.Contains(ConnectRetry)) options.ConnectRetry = 1;
        // Nobody makes a primary by this client. Without them the gateway's user needs no rights beyond its own prefix.
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
