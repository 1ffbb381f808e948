using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;

namespace Testing;

/// <summary>
/// A Redis in a process of its own, to be killed, paused and restarted: the <c>redis-server</c> that <c>TEST_REDIS_SERVER</c> names, or Garnet.
/// </summary>
public sealed class RedisServer : IAsyncDisposable
{
    private static readonly Lazy<Task<RedisServer>> s_shared = new(() => StartAsync());

    private Process _process = null!;

    private RedisServer(int port) => Port = port;

    public int Port { get; }

    public string ConnectionString => $"127.0.0.1:{Port}";

    /// <summary>Whether it is redis-server and not Garnet.</summary>
    public static bool IsReal => Program is not null;

    private static string? Program => Environment.GetEnvironmentVariable("TEST_REDIS_SERVER") is { Length: > 0 } path ? path : null;

    /// <summary>One for all tests of the process that do it no harm; every world has a key prefix of its own.</summary>
    public static Task<RedisServer> SharedAsync() => s_shared.Value;

    public static async Task<RedisServer> StartAsync()
    {
        var server = new RedisServer(FreePort.Find());
        await server.RestartAsync();
        return server;
    }

    public async Task RestartAsync()
    {
        var port = Port.ToString(CultureInfo.InvariantCulture);
        string[] arguments = Program is null
            ? ["exec", "--runtimeconfig", Path.Combine(AppContext.BaseDirectory, "GarnetHost.runtimeconfig.json"), Path.Combine(AppContext.BaseDirectory, "GarnetHost.dll"), port]
            : ["--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
        _process = ChildProcess.Start(Program ?? "dotnet", arguments);
        while (true)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync("127.0.0.1", Port);
                return;
            }
            catch (SocketException) when (!_process.HasExited)
            {
                await Task.Yield();
            }
        }
    }

    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Stops it in its tracks: connections stay open, nothing is answered.</summary>
    public void Pause() => Signal("STOP");

    public void Resume() => Signal("CONT");

    private void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await KillAsync();
        _process.Dispose();
    }
}
