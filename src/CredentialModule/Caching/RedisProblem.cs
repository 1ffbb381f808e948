namespace CredentialModule.Caching;

/// <summary>A cause that keeps Redis from being used, in the words that the log and <c>doctor</c> share.</summary>
/// <param name="Cause">The cause. It holds nothing of the connection string and nothing that Redis said but an error's code.</param>
/// <param name="Remedy">What an operator does about it.</param>
internal sealed record RedisProblem(string Cause, string Remedy)
{
    public static RedisProblem NameNotResolved { get; } = new(
        "its name does not resolve",
        "correct the host in ConnectionStrings:Redis, or the DNS of this machine");

    public static RedisProblem Refused { get; } = new("the connection is refused", "start Redis, or correct the port in ConnectionStrings:Redis");

    public static RedisProblem Unreachable { get; } = new(
        "it cannot be reached",
        "look for a firewall, a security group or a missing route between the gateway and Redis");

    public static RedisProblem Silent { get; } = new("it takes connections and does not answer", "look at the server: it is paused, stopped or overloaded");

    public static RedisProblem Closed { get; } = new(
        "it closes connections at once",
        "look at its log: it may have reached maxclients, or take no connections from this address");

    public static RedisProblem ExpectsTls { get; } = new("it expects TLS, and the gateway connects without", "add ssl=true to ConnectionStrings:Redis");

    public static RedisProblem SpeaksNoTls { get; } = new(
        "it speaks no TLS, and the gateway connects with it",
        "name its TLS port in ConnectionStrings:Redis, or take ssl=true out");

    public static RedisProblem AsksForPassword { get; } = new(
        "it asks for a password, and the gateway has none (NOAUTH)",
        "add password=… to ConnectionStrings:Redis");

    public static RedisProblem RefusesPassword { get; } = new(
        "it refuses the user or the password (WRONGPASS)",
        "write the current user=… and password=… into ConnectionStrings:Redis, and restart the gateway");

    public static RedisProblem HasNoPassword { get; } = new(
        "it has no password, and the gateway sends one",
        "take password=… out of ConnectionStrings:Redis, or set a password in Redis");

    public static RedisProblem ReadOnly { get; } = new("it is a read-only replica (READONLY)", "name the primary in ConnectionStrings:Redis");

    public static RedisProblem Full { get; } = new("it is full (OOM)", "raise maxmemory, or set a maxmemory-policy that evicts");

    public static RedisProblem CannotPersist { get; } = new("it takes no writes because it cannot save to disk (MISCONF)", "look at its log and its disk");

    public static RedisProblem Loading { get; } = new("it is loading its data (LOADING)", "wait: it answers when it has finished");

    public static RedisProblem NotConnected { get; } = new(
        "the client does not connect, though Redis answers",
        "compare ssl, sslProtocols and timeouts in ConnectionStrings:Redis with the server");

    public static RedisProblem Certificate(string errors) =>
        new($"its certificate is not trusted ({errors})", "name the certificate's host by sslHost=…, or add its authority to the trust store of this machine");

    public static RedisProblem Denied(string command) =>
        new($"it does not permit the gateway's user the command {command} (NOPERM)",
            "grant it the keys, channels and commands of docs/troubleshooting.md by ACL SETUSER");

    /// <summary>The problem that an error response stands for; null for one that a working Redis gives.</summary>
    /// <param name="code">The error's code, the first word of the response.</param>
    /// <param name="command">The command that it answers.</param>
    public static RedisProblem? OfError(string code, string command) => code switch
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
        "DENIED" => new("it takes no connections from other machines (DENIED)", "set a password or a bind address in Redis: it is in protected mode"),
        _ => new($"it answers {command} with the error {code}", "look at its log"),
    };
}
