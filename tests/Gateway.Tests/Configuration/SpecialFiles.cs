using System.Diagnostics;
using System.Net.Sockets;
using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>Makes named pipes, sockets and the like.</summary>
internal static class SpecialFiles
{
    /// <returns>The object that keeps it there; null if nothing has to.</returns>
    public static Socket? Make(string path, string kind)
    {
        switch (kind)
        {
            case "pipe":
                MakePipe(path);
                break;
            case "link to a pipe":
                MakePipe(path + ".pipe");
                File.CreateSymbolicLink(path, path + ".pipe");
                break;
            case "socket":
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                socket.Bind(new UnixDomainSocketEndPoint(path));
                return socket;
            case "device":
                File.CreateSymbolicLink(path, "/dev/zero");
                break;
            default:
                Directory.CreateDirectory(path);
                break;
        }

        return null;
    }

    private static void MakePipe(string path)
    {
        using var made = Process.Start("mkfifo", [path]);
        made.WaitForExit();
        Assert.Equal(0, made.ExitCode);
    }
}
