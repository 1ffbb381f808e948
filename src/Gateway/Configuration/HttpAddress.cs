using System.Diagnostics.CodeAnalysis;

namespace Gateway.Configuration;

/// <summary>An address that requests can be sent to: an absolute http or https URI with a host.</summary>
internal static class HttpAddress
{
    /// <summary>The message for a text that is no such address, as the rest of "is …, …".</summary>
    public const string Problem = "no absolute http or https address";

    /// <summary>Parses an address. Without the scheme's check, a path such as <c>/keys</c> would be an absolute URI of a file on Unix.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out Uri? address) =>
        Uri.TryCreate(text, UriKind.Absolute, out address) && address.Scheme is "https" or "http" && address.Host.Length > 0;
}
