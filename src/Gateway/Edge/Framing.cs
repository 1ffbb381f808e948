namespace Gateway.Edge;

/// <summary>What of a request's frame Kestrel lets pass and others read differently.</summary>
internal static class Framing
{
    // Of a length beside a transfer coding Kestrel takes the coding, and puts the length aside under this name.
    private const string IgnoredLength = "X-Content-Length";

    /// <summary>Whether everybody finds the same body, the same host and the same headers in a request.</summary>
    public static bool IsUnambiguous(HttpRequest request) =>
        request.Host.HasValue && (request.Headers.TransferEncoding.Count == 0 || IsChunkedOnly(request)) && !HasControls(request.Headers);

    // Kestrel would take any coding before the last one off as if it were none, and the codings of an HTTP/1.0 client, who cannot know any.
    private static bool IsChunkedOnly(HttpRequest request) =>
        request.Headers.TransferEncoding is [{ } coding] && coding.Equals("chunked", StringComparison.OrdinalIgnoreCase)
        && request.Headers.ContentLength is null && !request.Headers.ContainsKey(IgnoredLength)
        && !HttpProtocol.IsHttp10(request.Protocol);

    // Some take any of them for white space or for the end of a line.
    private static bool HasControls(IHeaderDictionary headers)
    {
        foreach (var (_, values) in headers)
        {
            foreach (var value in values)
            {
                foreach (var character in value.AsSpan())
                {
                    if (char.IsControl(character) && character != '\t') return true;
                }
            }
        }

        return false;
    }
}
