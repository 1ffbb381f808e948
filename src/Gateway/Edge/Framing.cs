using System.Buffers;

namespace Gateway.Edge;

/// <summary>What of a request's frame Kestrel lets pass and others read differently.</summary>
internal static class Framing
{
    // Of a length beside a transfer coding Kestrel takes the coding, and puts the length aside under this name.
    private const string IgnoredLength = "X-Content-Length";

    private static readonly SearchValues<char> s_token = SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private static readonly SearchValues<char> s_controls = SearchValues.Create([.. Enumerable.Range(0, 0xa0).Select(code => (char)code).Where(code => char.IsControl(code) && code != '\t')]);

    /// <summary>Whether everybody finds the same body, the same host and the same headers in a request.</summary>
    public static bool IsUnambiguous(HttpRequest request) =>
        request.Host.HasValue && (request.Headers.TransferEncoding.Count == 0 || IsChunkedOnly(request)) && AreWellFormed(request.Headers);

    // Kestrel would take any coding before the last one off as if it were none, and the codings of an HTTP/1.0 client, who cannot know any.
    private static bool IsChunkedOnly(HttpRequest request) =>
        request.Headers.TransferEncoding is [{ } coding] && coding.Equals("chunked", StringComparison.OrdinalIgnoreCase)
        && request.Headers.ContentLength is null && !request.Headers.ContainsKey(IgnoredLength)
        && !HttpProtocol.IsHttp10(request.Protocol);

    private static bool AreWellFormed(IHeaderDictionary headers)
    {
        foreach (var (name, values) in headers)
        {
            if (name.AsSpan().ContainsAnyExcept(s_token)) return false;
            foreach (var value in values)
            {
                // Some take any control for white space or for the end of a line.
                if (value.AsSpan().ContainsAny(s_controls)) return false;
            }
        }

        return true;
    }
}
