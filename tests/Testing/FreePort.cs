using System.Net;
using System.Net.Sockets;

namespace Testing;

/// <summary>
/// A port that was free a moment ago, for programs that cannot pick one themselves. It is below those that Linux gives, by default, to connections and
/// to listeners that leave the choice to it: one of these could take it in the meantime.
/// </summary>
public static class FreePort
{
    public static int Find()
    {
        while (true)
        {
            var port = Random.Shared.Next(10_000, 32_768);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // It is taken.
            }
        }
    }
}
