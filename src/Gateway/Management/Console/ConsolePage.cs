using Gateway.Configuration;

namespace Gateway.Management.Console;

/// <summary>
/// The files of the console. Anyone may load them: they are the same for every gateway and hold nothing of it. The page asks for a token, and everything that
/// it shows comes from the API.
/// </summary>
internal static class ConsolePage
{
    private const string Path = "/console";

    // No inline script or style, nothing from elsewhere, no plain text that becomes markup, and no page around it.
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        + "require-trusted-types-for 'script'; trusted-types 'none'; connect-src 'self'";

    private static readonly string[] s_methods = [HttpMethods.Get, HttpMethods.Head];

    private static readonly (string Path, string Resource, string ContentType)[] s_files =
    [
        ("/", "console.html", "text/html; charset=utf-8"),
        (Path, "console.html", "text/html; charset=utf-8"),
        ($"{Path}/console.css", "console.css", "text/css; charset=utf-8"),
        ($"{Path}/console.js", "console.js", "text/javascript; charset=utf-8"),
        ($"{Path}/icon.svg", "icon.svg", "image/svg+xml"),
    ];

    public static void MapConsolePage(this IEndpointRouteBuilder endpoints, ConsoleOptions? signIn)
    {
        var policy = signIn?.Authority is { } authority ? $"{Policy} {OriginOf(new Uri(authority))}" : Policy;
        // An identity provider shows these to any browser that it signs in.
        endpoints.MapGet($"{Path}/sign-in.json", (HttpContext context) =>
        {
            SetHeaders(context.Response.Headers, policy);
            return TypedResults.Json(signIn ?? new ConsoleOptions());
        }).AllowAnonymous();
        foreach (var (path, resource, contentType) in s_files)
        {
            var content = Read(resource);
            endpoints.MapMethods(path, s_methods, (HttpContext context) =>
            {
                SetHeaders(context.Response.Headers, policy);
                return TypedResults.Bytes(content, contentType);
            }).AllowAnonymous();
        }
    }

    // A header has ASCII only.
    private static string OriginOf(Uri address) => $"{address.Scheme}://{address.IdnHost}{(address.IsDefaultPort ? "" : $":{address.Port}")}";

    private static void SetHeaders(IHeaderDictionary headers, string policy)
    {
        headers.ContentSecurityPolicy = policy;
        headers.CacheControl = "no-cache";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
    }

    private static byte[] Read(string resource)
    {
        using var stream = typeof(ConsolePage).Assembly.GetManifestResourceStream($"console/{resource}")!;
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }
}
