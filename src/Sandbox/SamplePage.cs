using System.Net;

namespace Sandbox;

/// <summary>
/// Serves the page of <c>samples/browser</c>. Its link redirects to the page with a fresh token in the fragment, which the browser sends to no server, and which
/// stands in no log.
/// </summary>
public sealed class SamplePage : IAsyncDisposable
{
    private const string Folder = "/sample/";
    private const string LinkPath = $"{Folder}open";

    private static readonly Dictionary<string, (string Resource, string ContentType)> s_files = new(StringComparer.Ordinal)
    {
        [Folder] = ("index.html", "text/html; charset=utf-8"),
        [$"{Folder}app.js"] = ("app.js", "text/javascript; charset=utf-8"),
        [$"{Folder}app.css"] = ("app.css", "text/css; charset=utf-8"),
    };

    private readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
    private readonly OpenIdProvider _issuer;
    private readonly string _organization;
    private readonly string _broker;
    private readonly string _gateway;
    private readonly bool _isGatewaysOrigin;
    private LocalServer _server = null!;

    private SamplePage(OpenIdProvider issuer, string organization, string broker, string gateway, bool isGatewaysOrigin)
    {
        _issuer = issuer;
        _organization = organization;
        _broker = broker;
        _gateway = gateway;
        _isGatewaysOrigin = isGatewaysOrigin;
    }

    /// <summary>The page's origin: <c>http://127.0.0.1:PORT</c>, without a trailing slash.</summary>
    public string Origin => $"http://127.0.0.1:{_server.Port}";

    /// <summary>The address of the page, which asks for a token.</summary>
    public string Url => Origin + Folder;

    /// <summary>The address that opens the page with a token.</summary>
    public string Link => Origin + LinkPath;

    /// <summary>Starts the server.</summary>
    /// <param name="issuer">The issuer of the token that the link hands over.</param>
    /// <param name="organization">The organization whose devices the page shows, and of which the token's user is a member.</param>
    /// <param name="broker">The address of the broker's WebSockets, <c>ws://HOST:PORT</c>.</param>
    /// <param name="gateway">The gateway's address.</param>
    /// <param name="isGatewaysOrigin">
    /// Whether the page asks the address that it came from, which passes its requests on, as where a gateway and a web application share a host name. Otherwise
    /// it asks the gateway itself, which needs a CORS policy for the page's origin.
    /// </param>
    /// <returns>The running server.</returns>
    public static async Task<SamplePage> StartAsync(OpenIdProvider issuer, string organization, string broker, string gateway, bool isGatewaysOrigin = true)
    {
        var page = new SamplePage(issuer, organization, broker, gateway, isGatewaysOrigin);
        page._server = await LocalServer.StartAsync(0, page.RespondAsync);
        return page;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _client.Dispose();
    }

    private async Task RespondAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var path = context.Request.Path.Value!;
        if (path.StartsWith("/organizations/", StringComparison.Ordinal) && _isGatewaysOrigin)
        {
            await PassOnAsync(context, cancellationToken);
            return;
        }

        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy =
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
            + $"require-trusted-types-for 'script'; trusted-types 'none'; connect-src {(_isGatewaysOrigin ? "'self'" : _gateway)} {_broker}";
        headers.CacheControl = "no-store";
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        if (path == LinkPath)
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

    private async Task PassOnAsync(HttpContext context, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(new HttpMethod(context.Request.Method), _gateway + context.Request.Path);
        request.Headers.TryAddWithoutValidation("Authorization", (string?)context.Request.Headers.Authorization);
        try
        {
            using var response = await _client.SendAsync(request, cancellationToken);
            context.Response.StatusCode = (int)response.StatusCode;
            context.Response.ContentType = response.Content.Headers.ContentType?.ToString();
            foreach (var (name, values) in response.Headers.Where(static header => header.Key is "Date" or "Retry-After" or "Cache-Control"))
                context.Response.Headers[name] = values.ToArray();
            await response.Content.CopyToAsync(context.Response.Body, cancellationToken);
        }
        catch (HttpRequestException)
        {
            context.Response.StatusCode = StatusCodes.Status502BadGateway;
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
        if (!_isGatewaysOrigin) values["gateway"] = _gateway;
        return string.Join('&', values.Select(static value => $"{value.Key}={WebUtility.UrlEncode(value.Value)}"));
    }
}
