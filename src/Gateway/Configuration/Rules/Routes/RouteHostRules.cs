using System.Globalization;
using System.Net;

namespace Gateway.Configuration.Rules.Routes;

/// <summary>
/// Checks that a route's hosts are valid. ASP.NET Core parses them only when it builds its router. If one is invalid, no route responds.
/// </summary>
internal static class RouteHostRules
{
    /// <summary>Checks the hosts of every route.</summary>
    public static void Check(RuleContext context)
    {
        foreach (var route in context.Routes)
            for (var index = 0; index < route.Match.Hosts?.Count; index++)
                if (Problem(route.Match.Hosts[index]) is { } problem)
                    context.Error(RouteKey.Of(route, $"Match:Hosts:{index}"), $"is {Finding.Quote(route.Match.Hosts[index])}, {problem}");
    }

    private static string? Problem(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var (host, port) = colon < 0 ? (text, null) : (text[..colon], text[(colon + 1)..]);
        if (host.Contains("xn--", StringComparison.OrdinalIgnoreCase))
            return $"a name in Punycode, and requests are compared in Unicode. Write {Finding.Quote(Unicode(host) + text[host.Length..])}.";
        if (!IsHost(host) || (port is not null && !IsPort(port)))
            return "which is not a host. Write a name, with a port only where it matters, without scheme, path and blanks: "
                + $"such as {Finding.Quote(Meant(text) ?? "www.example.com")}, \"*.example.com\" or \"www.example.com:8443\".";
        return null;
    }

    private static bool IsHost(string host)
    {
        if (host == "*") return true;
        var name = host.StartsWith("*.", StringComparison.Ordinal) ? host[2..] : host;
        return name.Length is > 0 and <= 253 && name.Split('.').All(label => label.Length is > 0 and <= 63 && label.All(IsHostCharacter));
    }

    private static bool IsHostCharacter(char character) => char.IsLetterOrDigit(character) || character is '-' or '_';

    private static bool IsPort(string port) =>
        port == "*" || (port.All(char.IsAsciiDigit) && int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number is > 0 and <= IPEndPoint.MaxPort);

    // Returns the host, and a port that is not the default, of an address that was pasted whole.
    private static string? Meant(string text) =>
        Uri.TryCreate(text.Contains("//", StringComparison.Ordinal) ? text.Trim() : $"http://{text.Trim()}", UriKind.Absolute, out var uri) && IsHost(uri.Host)
            ? uri.IsDefaultPort ? uri.Host : $"{uri.Host}:{uri.Port}"
            : null;

    private static string Unicode(string host)
    {
        try
        {
            return new IdnMapping().GetUnicode(host);
        }
        catch (ArgumentException)
        {
            return host;
        }
    }
}
