using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;

namespace Gateway.Telemetry;

/// <summary>
/// An exception by which a library reports what a client or a service did on the wire. Its stack says nothing of a fault here, is fifty lines long for each
/// malformed request, and its message can quote what was sent: its kind is all that is logged.
/// </summary>
internal static class WireFailure
{
    private static readonly string[] s_libraries = ["Microsoft.AspNetCore.", "Yarp.", "System.Net."];

    /// <summary>The kinds of the exception and of its causes; null when the log is to have it whole.</summary>
    public static string? KindOf(string category, Exception error)
    {
        if (!Array.Exists(s_libraries, library => category.StartsWith(library, StringComparison.Ordinal))) return null;
        List<string> kinds = [];
        for (var cause = error; cause is not null; cause = cause.InnerException)
        {
            if (KindOf(cause) is not { } kind) return null;
            if (!kinds.Contains(kind)) kinds.Add(kind);
        }

        return string.Join(", ", kinds);
    }

    private static string? KindOf(Exception error) => error switch
    {
        HttpRequestException request => request.HttpRequestError.ToString(),
        HttpIOException io => io.HttpRequestError.ToString(),
        SocketException socket => socket.SocketErrorCode.ToString(),
        WebSocketException socket => socket.WebSocketErrorCode.ToString(),
        // BadHttpRequestException, ConnectionResetException and their like are of the second kind.
        IOException or OperationCanceledException or TimeoutException or AuthenticationException => error.GetType().Name,
        _ => null,
    };
}
