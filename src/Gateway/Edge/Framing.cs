using System.Buffers;
using Gateway.Networking;

namespace Gateway.Edge;

/// <summary>Checks the parts of a request's framing that Kestrel accepts and other servers read differently.</summary>
internal static class Framing
{
    // If a request has both a length and a transfer coding, Kestrel uses the coding and moves the length to this header.
    private const string IgnoredLength = "X-Content-Length";

    private static readonly SearchValues<char> s_controls =
        SearchValues.Create([.. Enumerable.Range(0, 0xa0).Select(code => (char)code).Where(code => char.IsControl(code) && code != '\t')]);

    /// <summary>Whether every server reads the same body, host and headers from a request.</summary>
    public static bool IsUnambiguous(HttpRequest request) =>
        request.Host.HasValue && (request.Headers.TransferEncoding.Count == 0 || IsChunkedOnly(request)) && AreWellFormed(request.Headers);

    // Kestrel would ignore any coding before the last one, and would accept codings from an HTTP/1.0 client, which cannot know any.
    private static bool IsChunkedOnly(HttpRequest request) =>
        request.Headers.TransferEncoding is [{ } coding] && coding.Equals("chunked", StringComparison.OrdinalIgnoreCase)
        && request.Headers.ContentLength is null && !request.Headers.ContainsKey(IgnoredLength)
        && !HttpProtocol.IsHttp10(request.Protocol);

    private static bool AreWellFormed(IHeaderDictionary headers)
    {
        foreach (var (name, values) in headers)
        {
            if (!HttpToken.Is(name)) return false;
            foreach (var value in values)
            {
                // Some servers treat any control character as white space or as the end of a line.
                if (value.AsSpan().ContainsAny(s_controls)) return false;
            }
        }

        return true;
    }
}
