using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Testing;

/// <summary>
/// Finds a port that is free now, for programs that cannot pick one themselves. It is below Linux's default range for outgoing connections and for listeners
/// on port 0, so that none of these takes it before the program does, and is found only once in a process.
/// </summary>
public static class FreePort
{
    private static readonly ConcurrentDictionary<int, byte> s_found = new();

    public static int Find()
    {
        while (true)
        {
            var port = Random.Shared.Next(10_000, 32_768);
            if (!s_found.TryAdd(port, 0)) continue;
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // The port is taken.
            }
        }
    }
}
