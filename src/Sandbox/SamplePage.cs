using System.Net;

namespace Sandbox;

/// <summary>
/// Serves the page of <c>samples/browser</c> below <c>/sample/</c>. <c>/sample/open</c> redirects there with a fresh token in the fragment, which the browser
/// sends to no server and no log has.
/// </summary>
public sealed class SamplePage : IAsyncDisposable
{
    private const string Folder = "/sample/";

    private static readonly Dictionary<string, (string Resource, string ContentType)> s_files = new(StringComparer.Ordinal)
    {
        [Folder] = ("index.html", "text/html; charset=utf-8"),
        [$"{Folder}app.js"] = ("app.js", "text/javascript; charset=utf-8"),
        [$"{Folder}app.css"] = ("app.css", "text/css; charset=utf-8"),
    };

    private readonly OpenIdProvider _issuer;
    private readonly string _organization;
    private readonly string _broker;
    private readonly string _connections;
    private LocalServer _server = null!;

    private SamplePage(OpenIdProvider issuer, string organization, string broker, string? gateway)
    {
        _issuer = issuer;
        _organization = organization;
        _broker = broker;
        _connections = $"{gateway ?? "'self'"} {broker}";
        Gateway = gateway;
    }

    /// <summary>The address: <c>http://127.0.0.1:PORT</c>, without a trailing slash.</summary>
    public string Url => $"http://127.0.0.1:{_server.Port}";

    private string? Gateway { get; }

    /// <summary>Starts the server.</summary>
    /// <param name="issuer">The issuer of the token that <c>/sample/open</c> hands over.</param>
    /// <param name="organization">The organization whose devices the page shows, and of which the token's user is a member.</param>
    /// <param name="broker">The address of the broker's WebSockets, <c>ws://HOST:PORT</c>.</param>
    /// <param name="gateway">The gateway's address. Default: the address that the page came from.</param>
    /// <returns>The running server.</returns>
    public static async Task<SamplePage> StartAsync(OpenIdProvider issuer, string organization, string broker, string? gateway = null)
    {
        var page = new SamplePage(issuer, organization, broker, gateway);
        page._server = await LocalServer.StartAsync(0, page.AnswerAsync);
        return page;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task AnswerAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy =
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
            + $"require-trusted-types-for 'script'; trusted-types 'none'; connect-src {_connections}";
        headers.CacheControl = "no-store";
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        var path = context.Request.Path.Value!;
        if (path == $"{Folder}open")
        {
            headers.Location = $"./#{Fragment()}";
            context.Response.StatusCode = StatusCodes.Status302Found;
        }
        else if (s_files.TryGetValue(path, out var file))
        {
            context.Response.ContentType = file.ContentType;
            await using var content = typeof(SamplePage).Assembly.GetManifestResourceStream($"sample/{file.Resource}")!;
            await content.CopyToAsync(context.Response.Body, cancellationToken);
        }
        else
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
        }
    }

    private string Fragment()
    {
        var values = new Dictionary<string, string>
        {
            ["token"] = _issuer.Issue(new TokenRequest { Organizations = (string[])[_organization] }),
            ["organization"] = _organization,
            ["broker"] = _broker,
        };
        if (Gateway is { } gateway) values["gateway"] = gateway;
        return string.Join('&', values.Select(static value => $"{value.Key}={WebUtility.UrlEncode(value.Value)}"));
    }
}
