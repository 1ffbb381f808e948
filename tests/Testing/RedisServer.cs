using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Sandbox;
using StackExchange.Redis;

namespace Testing;

/// <summary>
/// A Redis: the <c>redis-server</c> that <c>TEST_REDIS_SERVER</c> names, in a process of its own, or Garnet. A Garnet for one test runs in the test's process,
/// which takes a tenth of the processor time, unless the test pauses it.
/// </summary>
public sealed class RedisServer : ServerProcess
{
    private static readonly Lazy<Task<RedisServer>> s_shared = new(() => StartProcessAsync());

    private readonly string[] _options;
    private readonly bool _isEmbedded;
    private EmbeddedRedis? _embedded;

    private RedisServer(string[] options, bool isEmbedded = false) => (_options, _isEmbedded) = (options, isEmbedded);

    public string ConnectionString => $"127.0.0.1:{Port}";

    /// <summary>Connects a client whose timeouts a busy machine meets.</summary>
    public Task<ConnectionMultiplexer> ConnectAsync() =>
        ConnectionMultiplexer.ConnectAsync($"{ConnectionString},allowAdmin=true,connectTimeout=60000,syncTimeout=60000,asyncTimeout=60000");

    /// <summary>Whether it is redis-server and not Garnet.</summary>
    public static bool IsReal => Program is not null;

    private static string? Program => Environment.GetEnvironmentVariable("TEST_REDIS_SERVER") is { Length: > 0 } path ? path : null;

    /// <summary>The server for all tests of the process that neither stop nor change it. Each world has its own key prefix.</summary>
    public static Task<RedisServer> SharedAsync() => s_shared.Value;

    /// <summary>Starts a server for one test.</summary>
    /// <param name="options">Options of redis-server. Garnet takes none.</param>
    public static async Task<RedisServer> StartAsync(params string[] options)
    {
        var server = new RedisServer(options, isEmbedded: !IsReal);
        await server.RestartAsync();
        return server;
    }

    /// <summary>Starts a server for one test that can be paused.</summary>
    public static async Task<RedisServer> StartProcessAsync()
    {
        var server = new RedisServer([]);
        await server.RestartAsync();
        return server;
    }

    /// <summary>Starts Garnet, whatever the Redis of this run is.</summary>
    public static async Task<RedisServer> StartGarnetAsync()
    {
        var server = new RedisServer([], isEmbedded: true);
        await server.RestartAsync();
        return server;
    }

    /// <summary>The TLS port of a server with TLS.</summary>
    public int TlsPort { get; private init; }

    /// <summary>Starts a server that has a TLS port too.</summary>
    /// <param name="options">Options of redis-server, with those of its certificates.</param>
    public static async Task<RedisServer> StartTlsAsync(params string[] options)
    {
        var port = FreePort.Find();
        var server = new RedisServer([.. options, "--tls-port", port.ToString(CultureInfo.InvariantCulture)]) { TlsPort = port };
        await server.RestartAsync();
        return server;
    }

    /// <summary>Starts a Sentinel. It also keeps its state in the configuration file.</summary>
    public static async Task<RedisServer> StartSentinelAsync(string configurationFile)
    {
        var sentinel = new RedisServer([]) { ConfigurationFile = configurationFile };
        await sentinel.RestartAsync();
        return sentinel;
    }

    /// <summary>Sends a command to this server over a plain connection, and returns the parts of the response as lines.</summary>
    public async Task<string> ExecuteAsync(params string[] command)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", Port);
        await using var stream = client.GetStream();
        var parts = command.Select(part => $"${Encoding.UTF8.GetByteCount(part)}\r\n{part}\r\n");
        await stream.WriteAsync(Encoding.UTF8.GetBytes($"*{command.Length}\r\n{string.Concat(parts)}"));
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

    protected override Process Start()
    {
        if (Program is not { } redis) return StartBuilt("GarnetHost");
        string[] address = ["--port", Port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "-::1"];
        return ChildProcess.Start(redis, ConfigurationFile is not null ? [ConfigurationFile, "--sentinel", .. address] :
        [
            .. address, "--save", "", "--appendonly", "no", "--enable-protected-configs", "yes",
            // Replicas get their copy over the connection only: servers that share a directory would load each other's file.
            "--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0", "--repl-diskless-load", "swapdb", .. _options,
        ]);
    }

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
