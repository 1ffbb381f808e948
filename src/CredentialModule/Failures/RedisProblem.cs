using StackExchange.Redis;

namespace IotCredentials.Failures;

/// <summary>A problem that keeps Redis from being used, in the words that the log and <c>doctor</c> share.</summary>
/// <param name="Code">The cause in a word, for metrics.</param>
/// <param name="Cause">The cause. It holds nothing of the connection string, and nothing of Redis's responses but an error's code.</param>
/// <param name="Remedy">The remedy, for an operator.</param>
public sealed record RedisProblem(string Code, string Cause, string Remedy)
{
    private const int LongestCode = 24;

    /// <summary>The node that has the problem, as <c>host:port</c>; null if all nodes have it.</summary>
    public string? At { get; init; }

    internal static RedisProblem NameNotResolved { get; } = new(
        "name_not_resolved",
        "its name does not resolve",
        "correct the host in ConnectionStrings:Redis, or the DNS of this machine");

    internal static RedisProblem Refused { get; } = new(
        "connection_refused",
        "the connection is refused",
        "start Redis, or correct the port in ConnectionStrings:Redis");

    internal static RedisProblem Unreachable { get; } = new(
        "unreachable",
        "it cannot be reached",
        "look for a firewall, a security group or a missing route between the gateway and Redis");

    internal static RedisProblem Silent { get; } = new(
        "silent",
        "it takes connections and does not respond",
        "look at the server: it is paused, stopped or overloaded");

    internal static RedisProblem Closed { get; } = new(
        "closed",
        "it closes connections at once",
        "look at its log: it may have reached maxclients, or take no connections from this address");

    /// <summary>The code of an error that stands for no other problem.</summary>
    internal const string OtherError = "error";

    internal static RedisProblem ClosedInTls { get; } = new(
        "closed_in_tls",
        "it ends connections in the TLS handshake or right after it",
        "look at its log: it may ask for a client certificate (tls-auth-clients), or speak other versions of TLS");

    internal static RedisProblem ExpectsTls { get; } = new(
        "expects_tls",
        "it expects TLS, and the gateway connects without",
        "add ssl=true to ConnectionStrings:Redis");

    internal static RedisProblem SpeaksNoTls { get; } = new(
        "speaks_no_tls",
        "it speaks no TLS, and the gateway connects with it",
        "name its TLS port in ConnectionStrings:Redis, or take ssl=true out");

    internal static RedisProblem AsksForPassword { get; } = new(
        "no_password_given",
        "it asks for a password, and the gateway has none (NOAUTH)",
        "add password=… to ConnectionStrings:Redis");

    internal static RedisProblem RefusesPassword { get; } = new(
        "wrong_password",
        "it refuses the user or the password (WRONGPASS)",
        "write the current user=… and password=… into ConnectionStrings:Redis, and restart the gateway");

    internal static RedisProblem HasNoPassword { get; } = new(
        "has_no_password",
        "it has no password, and the gateway sends one",
        "take password=… out of ConnectionStrings:Redis, or set a password in Redis");

    internal static RedisProblem TooManyClients { get; } = new(
        "too_many_clients",
        "it takes no more connections (maxclients)",
        "look at CLIENT LIST: end connections that nobody needs, or raise maxclients");

    internal static RedisProblem UnknownService { get; } = new(
        "unknown_service",
        "the sentinels do not know the serviceName",
        "write the name that they monitor the primary under as serviceName=… into ConnectionStrings:Redis");

    internal static RedisProblem ReadOnly { get; } = new(
        "read_only",
        "it is a read-only replica (READONLY)",
        "name the primary in ConnectionStrings:Redis, by a name that moves with it, or all nodes of the set");

    internal static RedisProblem Full { get; } = new("full", "it is full (OOM)", "raise maxmemory, or set a maxmemory-policy that evicts");

    internal static RedisProblem CannotPersist { get; } = new(
        "cannot_persist",
        "it takes no writes because it cannot save to disk (MISCONF)",
        "look at its log and its disk");

    internal static RedisProblem Loading { get; } = new("loading", "it is loading its data (LOADING)", "wait: it responds when it has finished");

    /// <summary>The client does not connect, although a probe finds nothing wrong.</summary>
    public static RedisProblem NotConnected { get; } = new(
        "not_connected",
        "the client does not connect, though Redis responds",
        "compare ssl, sslProtocols, timeouts and commands ($…) in ConnectionStrings:Redis with the server");

    internal static RedisProblem Certificate(string errors) =>
        new(
            "certificate",
            $"its certificate is not trusted ({errors})",
            "name the certificate's host by sslHost=…, or add its authority to the trust store of this machine");

    internal static RedisProblem Denied(string command) =>
        new("denied", $"it does not permit the gateway's user the command {command} (NOPERM)",
            "grant it the keys, channels and commands of docs/redis.md by ACL SETUSER");

    internal static RedisProblem Missing(string command) =>
        new("no_command", $"it does not have the command {command}", "give it back under its own name in Redis: it is renamed or disabled");

    internal static RedisProblem NoDatabase(string number) =>
        new("no_database", $"it has no database {number}", "correct defaultDatabase=… in ConnectionStrings:Redis: a cluster has only 0");

    /// <summary>The kind of a failure, for a log: the code of Redis's error, or the exception's type. Their messages can hold anything.</summary>
    public static string KindOf(Exception error) =>
        error is RedisServerException && CodeOf(error.Message) is { Length: > 0 } code ? code : error.GetType().Name;

    /// <summary>The code that an error response begins with; empty if there is no code.</summary>
    internal static string CodeOf(string response)
    {
        var end = response.AsSpan().IndexOfAnyExceptInRange('A', 'Z');
        return response[..Math.Min(end < 0 ? response.Length : end, LongestCode)];
    }

    /// <summary>The problem that an error response stands for; null for an error that a working Redis returns.</summary>
    /// <param name="response">The error response. Only what is recognised in it is told.</param>
    /// <param name="command">The command that caused it.</param>
    internal static RedisProblem? OfError(string response, string command)
    {
        return CodeOf(response) switch
        {
            // Another node of the cluster has the key.
            "MOVED" or "ASK" => null,
            "NOAUTH" => AsksForPassword,
            "WRONGPASS" => RefusesPassword,
            "NOPERM" => Denied(command),
            "READONLY" => ReadOnly,
            "OOM" => Full,
            "MISCONF" => CannotPersist,
            "LOADING" => Loading,
            "DENIED" => new(
                "protected_mode", "it takes no connections from other machines (DENIED)", "set a password or a bind address in Redis: it is in protected mode"),
            "CLUSTERDOWN" => new(
                "cluster_down", "a part of the cluster has no primary (CLUSTERDOWN)", "look at CLUSTER NODES: start the node, or fail over to its replica"),
            "ERR" when Has("max number of clients") => TooManyClients,
            "ERR" when Has("without any password") || Has("no password is set") => HasNoPassword,
            // Servers before version 6.
            "ERR" when Has("invalid password") => RefusesPassword,
            // Garnet without --lua says that scripts are disabled.
            "ERR" when Has("unknown command") || Has("disabled") => Missing(command),
            var code => new(OtherError, $"it responds to {command} with the error {code}", "look at its log"),
        };

        bool Has(string text) => response.Contains(text, StringComparison.OrdinalIgnoreCase);
    }
}
