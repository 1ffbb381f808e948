using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Sandbox;
using StackExchange.Redis;

namespace Testing;

/// <summary>
/// A Redis: the <c>redis-server</c> that <c>TEST_REDIS_SERVER</c> names, in a process of its own, or Garnet. A Garnet that a test has to itself runs in the
/// test's process, which takes a tenth of the processor time, unless the test pauses it.
/// </summary>
public sealed class RedisServer : ServerProcess
{
    private static readonly Lazy<Task<RedisServer>> s_shared = new(() => StartProcessAsync());

    private readonly string[] _options;
    private readonly bool _isEmbedded;
    private EmbeddedRedis? _embedded;

    private RedisServer(string[] options, bool isEmbedded = false) => (_options, _isEmbedded) = (options, isEmbedded);

    public string ConnectionString => $"127.0.0.1:{Port}";

    /// <summary>A client that waits for as long as a busy machine may take.</summary>
    public Task<ConnectionMultiplexer> ConnectAsync() =>
        ConnectionMultiplexer.ConnectAsync($"{ConnectionString},allowAdmin=true,connectTimeout=60000,syncTimeout=60000,asyncTimeout=60000");

    /// <summary>Whether it is redis-server and not Garnet.</summary>
    public static bool IsReal => Program is not null;

    private static string? Program => Environment.GetEnvironmentVariable("TEST_REDIS_SERVER") is { Length: > 0 } path ? path : null;

    /// <summary>One for all tests of the process that do it no harm; every world has a key prefix of its own.</summary>
    public static Task<RedisServer> SharedAsync() => s_shared.Value;

    /// <param name="options">Options of redis-server; with any, it has to be one.</param>
    public static async Task<RedisServer> StartAsync(params string[] options)
    {
        var server = new RedisServer(options, isEmbedded: !IsReal);
        await server.RestartAsync();
        return server;
    }

    /// <summary>One that can be paused.</summary>
    public static async Task<RedisServer> StartProcessAsync()
    {
        var server = new RedisServer([]);
        await server.RestartAsync();
        return server;
    }

    /// <summary>The port that speaks TLS, of a server that does.</summary>
    public int TlsPort { get; private init; }

    /// <summary>A server that speaks TLS beside.</summary>
    /// <param name="options">The options of its certificates.</param>
    public static async Task<RedisServer> StartTlsAsync(params string[] options)
    {
        var port = FreePort.Find();
        var server = new RedisServer([.. options, "--tls-port", port.ToString(CultureInfo.InvariantCulture)]) { TlsPort = port };
        await server.RestartAsync();
        return server;
    }

    /// <summary>A Sentinel, with the configuration file that it also keeps its state in.</summary>
    public static async Task<RedisServer> StartSentinelAsync(string configurationFile)
    {
        var sentinel = new RedisServer([]) { ConfigurationFile = configurationFile };
        await sentinel.RestartAsync();
        return sentinel;
    }

    /// <summary>Sends a command, without the client's knowledge of what a server is; the parts of the response are lines.</summary>
    public async Task<string> ExecuteAsync(params string[] command)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", Port);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.UTF8.GetBytes(
            $"*{command.Length}\r\n{string.Concat(command.Select(part => $"${Encoding.UTF8.GetByteCount(part)}\r\n{part}\r\n"))}"));
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return await ReadAsync(reader);
    }

    public override async Task RestartAsync()
    {
        if (_isEmbedded) _embedded = await EmbeddedRedis.StartAsync(Port);
        else await base.RestartAsync();
    }

    public override async Task KillAsync()
    {
        if (_embedded is not null) await _embedded.DisposeAsync();
        else await base.KillAsync();
    }

    public override void Pause()
    {
        if (_isEmbedded) throw new InvalidOperationException("Only a process can be paused.");
        base.Pause();
    }

    public override async ValueTask DisposeAsync()
    {
        if (!_isEmbedded) await base.DisposeAsync();
        else if (_embedded is not null) await _embedded.DisposeAsync();
    }

    private string? ConfigurationFile { get; init; }

    protected override Process Start() => Program is { } redis
        ? ChildProcess.Start(
            redis,
            ConfigurationFile is not null
                ? [ConfigurationFile, "--sentinel", "--port", Port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1"]
                : [
                    "--port", Port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                    "--enable-protected-configs", "yes",
                    // Replicas get their copy by the connection alone: servers that share a directory would load each other's file.
                    "--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0", "--repl-diskless-load", "swapdb", .. _options
                ])
        : StartBuilt("GarnetHost");

    private static async Task<string> ReadAsync(StreamReader reader)
    {
        var line = await reader.ReadLineAsync() ?? throw new IOException("The connection was closed.");
        switch (line[0])
        {
            case '$' when line != "$-1":
                var text = new char[int.Parse(line.AsSpan(1), CultureInfo.InvariantCulture) + 2];
                await reader.ReadBlockAsync(text);
                return new string(text, 0, text.Length - 2);
            case '*':
                var parts = new List<string>();
                for (var count = int.Parse(line.AsSpan(1), CultureInfo.InvariantCulture); count > 0; count--) parts.Add(await ReadAsync(reader));
                return string.Join('\n', parts);
            case '-':
                throw new InvalidOperationException(line);
            default:
                return line[1..];
        }
    }
}
