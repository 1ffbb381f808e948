using System.Buffers;
using System.Net;

namespace Gateway.Configuration.Rules.Clusters;

/// <summary>Checks the form of an address that requests are forwarded to. YARP appends the request's path to it unchanged.</summary>
internal static class DestinationAddress
{
    // The characters that are valid in a path (RFC 3986, section 3.3).
    private static readonly SearchValues<char> s_path =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%!$&'()*+,;=:@/");

    /// <summary>Whether a text is a valid <c>Host</c> header: a name or an address, with an optional port.</summary>
    public static bool IsHost(string text) =>
        Uri.TryCreate($"http://{text}/", UriKind.Absolute, out var uri) && uri.PathAndQuery == "/" && uri.UserInfo.Length == 0
        && !text.Any(static character => char.IsWhiteSpace(character) || char.IsControl(character) || character is '/' or '?' or '#' or '\\');

    /// <summary>Returns the problem of an address, as the rest of "is …, …", or null when the address is valid.</summary>
    public static string? Problem(string? text)
    {
        if (text?.Contains('\\', StringComparison.Ordinal) == true) return "an address with a backslash in it";
        if (text is not null && text.Split("://") is [_, var rest, ..] && rest.StartsWith("unix:", StringComparison.OrdinalIgnoreCase)
            && !char.IsAsciiDigit(rest.ElementAtOrDefault("unix:".Length)))
            return "nginx's form of a Unix socket, which requests are not sent to";
        if (!HttpAddress.TryParse(text, out var uri)) return HttpAddress.Problem;
        if (text.Any(static character => char.IsWhiteSpace(character) || char.IsControl(character)))
            return "an address with a blank in it, which would stand before each request's path";
        if (text.Contains('?', StringComparison.Ordinal) || text.Contains('#', StringComparison.Ordinal))
            return "an address with a query or fragment, and each request's path would come behind it";
        if (IPAddress.TryParse(uri.Host.Trim('[', ']'), out var address)
            && (ThisMachine.Unmapped(address).Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)))
            return "an address that a server listens on and no client can ask";
        if (uri.Port == 0) return "an address with the port 0, which nobody listens on";
        var authority = text.IndexOf("//", StringComparison.Ordinal) + 2;
        var path = text.IndexOf('/', authority) is > 0 and var start ? text[start..] : "";
        if (path.AsSpan().ContainsAnyExcept(s_path))
            return "an address whose path holds what a path cannot, such as { or a letter beyond ASCII, unless it is escaped";
        if (path.Contains("//", StringComparison.Ordinal) || path.Split('/').Any(static segment => segment is "." or ".."))
            return "an address whose path holds an empty segment, \".\" or \"..\", so that another path would arrive";
        return null;
    }
}
