using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Garnet;

namespace Sandbox;

/// <summary>
/// A Redis in this process: Garnet on 127.0.0.1, with Lua, in memory. Nothing outlives it. To play a Redis that goes away, dispose it. To bring it back, empty,
/// start another on its port.
/// </summary>
public sealed class EmbeddedRedis : IAsyncDisposable
{
    private const int Attempts = 10;

    private readonly GarnetServer _server;
    private readonly DirectoryInfo _directory;
    private int _disposed;

    private EmbeddedRedis(GarnetServer server, DirectoryInfo directory, int port)
    {
        _server = server;
        _directory = directory;
        Port = port;
    }

    /// <summary>The port.</summary>
    public int Port { get; }

    /// <summary>The connection string for a Redis client: <c>127.0.0.1:PORT</c>.</summary>
    public string ConnectionString => $"127.0.0.1:{Port}";

    /// <summary>Starts a server.</summary>
    /// <param name="port">0 picks a free one.</param>
    /// <returns>The running server.</returns>
    /// <exception cref="IOException">The port is taken.</exception>
    public static Task<EmbeddedRedis> StartAsync(int port = 0) => Task.Run(() =>
    {
        // Garnet takes no port 0, so another process may take the port between the probe and the start.
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return Start(port == 0 ? FreePort() : port);
            }
            catch (IOException) when (port == 0 && attempt < Attempts)
            {
            }
        }
    });

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _server.Dispose();
            _directory.Delete(recursive: true);
        }

        return ValueTask.CompletedTask;
    }

    private static EmbeddedRedis Start(int port)
    {
        var directory = Directory.CreateTempSubdirectory("sandbox-redis-");
        GarnetServer? server = null;
        try
        {
            server = new GarnetServer(
            [
                "--bind", "127.0.0.1", "--port", port.ToString(CultureInfo.InvariantCulture),
                "--memory", "64m", "--page", "1m", "--index", "1m", "--checkpointdir", directory.FullName, "-q",
                // Without transactions a script would not be atomic here, as it is in Redis.
                "--lua", "--lua-transaction-mode",
            ]);
            server.Start();
            return new EmbeddedRedis(server, directory, port);
        }
        catch (Exception exception)
        {
            server?.Dispose();
            directory.Delete(recursive: true);
            if (exception.GetBaseException() is SocketException) throw new IOException($"Failed to listen on 127.0.0.1:{port}.", exception);
            throw;
        }
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
