using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Primitives;

namespace Sandbox;

/// <summary>
/// An OpenID issuer: discovery document, key set, and any token that a test may need. For use with curl, <c>/token</c> mints a valid token from query or form:
/// <c>subject</c>, <c>lifetime</c> in seconds, and any number of <c>organization</c>, <c>audience</c>, <c>role</c> and <c>scope</c>. It responds with OAuth's
/// JSON, or with the bare token to <c>Accept: text/plain</c>. An unknown parameter gets a 400 that names the nearest known one. With <c>opaque=true</c> the
/// token is no JSON Web Token, and <c>/introspect</c> (RFC 7662) says what it stands for, to the client <c>gateway</c>. It also acts as Microsoft Entra ID:
/// every <c>/{tenant}/v2.0</c>, and every <c>/{tenant}/</c> whose tenant is a GUID, is an issuer with a discovery document and the same keys.
/// <c>/authorize</c> signs in by the code flow with PKCE.
/// </summary>
public sealed class OpenIdProvider : IAsyncDisposable
{
    /// <summary>The role of the user whom <c>/authorize</c> signs in.</summary>
    public const string OperatorRole = "gateway-operator";

    // Creating an RSA key takes a tenth of a second, and tests start hundreds of issuers. The keys of stopped issuers are reused.
    private static readonly ConcurrentBag<SigningKey> s_spareKeys = [];

    private readonly AuthorizationCodes _codes = new();
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly List<SigningKey> _published = [];
    private SigningKey _rsa;
    private SigningKey? _ellipticCurve;
    private LocalServer? _server;
    private int _port;
    private int _discoveryRequests;
    private int _keySetRequests;
    private int _introspections;

    private OpenIdProvider(TimeProvider time)
    {
        _time = time;
        _rsa = NextRsaKey();
        _published.Add(_rsa);
    }

    /// <summary>Raised with every token that any provider of this process mints.</summary>
    public static event Action<string>? Minted;

    /// <summary>The issuer: <c>http://127.0.0.1:PORT</c>, without a trailing slash. It stays the same after a restart.</summary>
    public string Issuer => $"http://127.0.0.1:{_port}";

    /// <summary>The RSA key that signs by default.</summary>
    public SigningKey CurrentKey
    {
        get { lock (_lock) return _rsa; }
    }

    /// <summary>Every key in the key set.</summary>
    public IReadOnlyList<SigningKey> PublishedKeys
    {
        get { lock (_lock) return [.. _published]; }
    }

    /// <summary>
    /// Awaited before each document is sent, to emulate an issuer that is slow or hangs. Null: no wait. The token is cancelled when the request ends.
    /// </summary>
    public Func<CancellationToken, Task>? BeforeDocument { get; set; }

    /// <summary>Creates the key set's text from its valid keys, to emulate an issuer that publishes odd ones. Null: the valid keys.</summary>
    public Func<JsonArray, string>? KeySetText { get; set; }

    /// <summary>Changes the discovery document before it is sent, to emulate an issuer that publishes an odd one. Null: no change.</summary>
    public Action<JsonObject>? ChangeDiscovery { get; set; }

    /// <summary>The number of requests for the discovery document.</summary>
    public int DiscoveryRequests => Volatile.Read(ref _discoveryRequests);

    /// <summary>The number of requests for the key set.</summary>
    public int KeySetRequests => Volatile.Read(ref _keySetRequests);

    /// <summary>The opaque tokens and keys that it knows, with the response to an introspection of each.</summary>
    public ConcurrentDictionary<string, JsonObject> Opaque { get; } = new(StringComparer.Ordinal);

    /// <summary>The secret of the client <c>gateway</c> for introspection.</summary>
    public string IntrospectionSecret { get; } = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    /// <summary>Responds to an introspection in its place, to emulate an odd endpoint. It returns whether it has responded. Null: it responds itself.</summary>
    public Func<HttpContext, string, CancellationToken, Task<bool>>? AnswerIntrospection { get; set; }

    /// <summary>The user whom <c>/authorize</c> signs in, without a question: an operator of the gateway.</summary>
    public TokenRequest SignedIn { get; set; } = new() { Subject = "olivia", Roles = [OperatorRole], Organizations = (string[])[] };

    /// <summary>The number of introspections.</summary>
    public int Introspections => Volatile.Read(ref _introspections);

    /// <summary>Starts an issuer with one RSA key.</summary>
    /// <param name="port">0 lets the system pick one.</param>
    /// <param name="time">The clock for the times in tokens. Default: the system's clock.</param>
    /// <returns>The running issuer.</returns>
    public static async Task<OpenIdProvider> StartAsync(int port = 0, TimeProvider? time = null)
    {
        var provider = new OpenIdProvider(time ?? TimeProvider.System) { _port = port };
        await provider.RestartAsync();
        return provider;
    }

    /// <summary>Emulates an issuer that is down: the port refuses connections. <see cref="Issue"/> still mints tokens.</summary>
    /// <returns>A task that completes when the port is closed.</returns>
    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _server, null) is { } server) await server.DisposeAsync();
    }

    /// <summary>Restarts the issuer on the same port with the same keys, after <see cref="StopAsync"/>.</summary>
    /// <returns>A task that completes when the port is open.</returns>
    public async Task RestartAsync()
    {
        if (_server is not null) return;
        _server = await LocalServer.StartAsync(_port, RespondAsync);
        _port = _server.Port;
    }

    /// <summary>Publishes a new RSA key, which signs from now on; the old one stays published. If there is a P-256 key, it is rotated, too.</summary>
    /// <returns>The new RSA key.</returns>
    public SigningKey RotateKeys()
    {
        lock (_lock)
        {
            _published.Add(_rsa = NextRsaKey());
            if (_ellipticCurve is not null) _published.Add(_ellipticCurve = SigningKey.CreateEllipticCurve());
            return _rsa;
        }
    }

    /// <summary>Publishes a P-256 key, which signs every token whose algorithm is <c>ES256</c>.</summary>
    /// <returns>The key.</returns>
    public SigningKey PublishEllipticCurveKey()
    {
        lock (_lock)
        {
            _published.Add(_ellipticCurve = SigningKey.CreateEllipticCurve());
            return _ellipticCurve;
        }
    }

    /// <summary>Removes every key that no longer signs from the key set.</summary>
    public void WithdrawOldKeys()
    {
        lock (_lock) _published.RemoveAll(key => key != _rsa && key != _ellipticCurve);
    }

    /// <summary>Mints a token.</summary>
    /// <param name="request">The token's content. Default: a valid token for <c>alice</c> of no organization.</param>
    /// <returns>The token in compact form.</returns>
    /// <exception cref="InvalidOperationException">An <c>ES</c> algorithm is requested without a key, before <see cref="PublishEllipticCurveKey"/>.</exception>
    public string Issue(TokenRequest? request = null)
    {
        request ??= new TokenRequest();
        var token = TokenWriter.Write(request, request.Key ?? KeyFor(request.Algorithm), Issuer, _time.GetUtcNow());
        Minted?.Invoke(token);
        return token;
    }

    /// <summary>Makes a token that is no JSON Web Token, and that <c>/introspect</c> knows.</summary>
    /// <param name="request">Its content. Default: an active token for <c>alice</c> of no organization.</param>
    /// <returns>The token.</returns>
    public string IssueOpaque(TokenRequest? request = null)
    {
        request ??= new TokenRequest();
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
        var response = new JsonObject { ["active"] = true, ["iss"] = request.Issuer ?? Issuer, ["token_type"] = "Bearer" };
        if (request.Subject is { } subject) response["sub"] = subject;
        if (request.Expires is { } life) response["exp"] = (_time.GetUtcNow() + life).ToUnixTimeSeconds();
        if (request.Organizations is { } organizations) response["organizations"] = JsonSerializer.SerializeToNode(organizations);
        if (request.Roles.Count > 0) response["roles"] = new JsonArray([.. request.Roles.Select(static role => JsonValue.Create(role))]);
        if (request.Scopes.Count > 0) response["scope"] = string.Join(' ', request.Scopes);
        foreach (var (name, value) in request.Claims) response[name] = JsonSerializer.SerializeToNode(value);
        foreach (var name in request.WithoutClaims) response.Remove(name);
        Opaque[token] = response;
        Minted?.Invoke(token);
        return token;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        lock (_lock)
        {
            foreach (var key in _published.Where(static key => key.IsRsa)) s_spareKeys.Add(key);
            _published.Clear();
        }
    }

    private static SigningKey NextRsaKey() => s_spareKeys.TryTake(out var spare) ? spare : SigningKey.CreateRsa();

    private SigningKey KeyFor(string algorithm)
    {
        lock (_lock)
        {
            if (!algorithm.StartsWith("ES", StringComparison.Ordinal)) return _rsa;
            return _ellipticCurve
                ?? throw new InvalidOperationException($"No elliptic curve key is published; call {nameof(PublishEllipticCurveKey)}.");
        }
    }

    private async Task RespondAsync(HttpContext context, CancellationToken cancellationToken)
    {
        if (BeforeDocument is { } wait && context.Request.Path.Value?.Contains(".well-known", StringComparison.Ordinal) == true) await wait(cancellationToken);
        await RespondAtOnceAsync(context, cancellationToken);
    }

    private Task RespondAtOnceAsync(HttpContext context, CancellationToken cancellationToken)
    {
        switch (context.Request.Path.Value?.Split('/'))
        {
            case ["", ".well-known", "openid-configuration"]:
                // Browsers of the gateway's console read it.
                context.Response.Headers.AccessControlAllowOrigin = "*";
                Interlocked.Increment(ref _discoveryRequests);
                return context.Response.WriteAsJsonAsync(Discovery(Issuer), cancellationToken);
            case ["", var tenant, "v2.0", ".well-known", "openid-configuration"]:
                Interlocked.Increment(ref _discoveryRequests);
                return context.Response.WriteAsJsonAsync(
                    Discovery($"{Issuer}/{(tenant is "common" or "organizations" or "consumers" ? "{tenantid}" : tenant)}/v2.0"), cancellationToken);
            case ["", var tenant, ".well-known", "openid-configuration"] when Guid.TryParse(tenant, out _):
                Interlocked.Increment(ref _discoveryRequests);
                return context.Response.WriteAsJsonAsync(Discovery($"{Issuer}/{tenant}/"), cancellationToken);
            case ["", ".well-known", "jwks.json"]:
                Interlocked.Increment(ref _keySetRequests);
                context.Response.ContentType = "application/json";
                return context.Response.WriteAsync(KeySet(), cancellationToken);
            case ["", "authorize"]:
                return _codes.AuthorizeAsync(context, cancellationToken);
            case ["", "token"] when AuthorizationCodes.IsExchange(context.Request):
                return _codes.ExchangeAsync(context, () => Issue(SignedIn), cancellationToken);
            case ["", "token"]:
                return RespondWithTokenAsync(context, cancellationToken);
            case ["", "introspect"]:
                return IntrospectAsync(context, cancellationToken);
            default:
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return Task.CompletedTask;
        }
    }

    private JsonObject Discovery(string issuer)
    {
        var document = new JsonObject
        {
            ["issuer"] = issuer,
            ["jwks_uri"] = $"{Issuer}/.well-known/jwks.json",
            ["authorization_endpoint"] = $"{Issuer}/authorize",
            ["token_endpoint"] = $"{Issuer}/token",
            ["introspection_endpoint"] = $"{Issuer}/introspect",
            ["response_types_supported"] = new JsonArray("code"),
            ["subject_types_supported"] = new JsonArray("public"),
            ["id_token_signing_alg_values_supported"] = new JsonArray("RS256", "PS256", "ES256"),
        };
        ChangeDiscovery?.Invoke(document);
        return document;
    }

    private string KeySet()
    {
        var keys = new JsonArray([.. PublishedKeys.Select(key => key.ToJsonWebKey())]);
        return KeySetText is { } text ? text(keys) : new JsonObject { ["keys"] = keys }.ToJsonString();
    }

    // RFC 7662: POST with the client's credentials; a token that is not known, or has expired, is not active, and nothing more is said of it.
    private async Task IntrospectAsync(HttpContext context, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _introspections);
        var expected = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"gateway:{IntrospectionSecret}"));
        if (context.Request.Headers.Authorization != expected || !HttpMethods.IsPost(context.Request.Method) || !context.Request.HasFormContentType)
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return;
        }

        var token = (await context.Request.ReadFormAsync(cancellationToken))["token"].ToString();
        if (AnswerIntrospection is { } odd && await odd(context, token, cancellationToken)) return;
        var isActive = Opaque.TryGetValue(token, out var response)
            && (response["exp"] is not { } exp || exp.GetValue<long>() > _time.GetUtcNow().ToUnixTimeSeconds());
        await context.Response.WriteAsJsonAsync(isActive ? response : new JsonObject { ["active"] = false }, cancellationToken);
    }

    private async Task RespondWithTokenAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var form = context.Request.HasFormContentType ? await context.Request.ReadFormAsync(cancellationToken) : FormCollection.Empty;
        var lifetime = TimeSpan.FromHours(1);
        var refusal = TokenParameters.Refusal(context.Request.Query, form);
        if (refusal is null && First("lifetime") is { } text)
        {
            if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds)) lifetime = TimeSpan.FromSeconds(seconds);
            else refusal = "lifetime is a number of seconds.";
        }

        if (refusal is not null)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            await context.Response.WriteAsJsonAsync(new JsonObject { ["error"] = "invalid_request", ["error_description"] = refusal }, cancellationToken);
            return;
        }

        var defaults = new TokenRequest();
        var isOpaque = First("opaque") == "true";
        var wanted = defaults with
        {
            Subject = First("subject") ?? defaults.Subject,
            Audiences = All("audience") is [_, ..] audiences ? audiences : defaults.Audiences,
            Organizations = All("organization"),
            Roles = All("role"),
            Scopes = All("scope"),
            Expires = lifetime,
        };
        var token = isOpaque ? IssueOpaque(wanted) : Issue(wanted);

        context.Response.Headers.CacheControl = "no-store";
        if (context.Request.Headers.Accept.ToString().Contains("text/plain", StringComparison.OrdinalIgnoreCase))
        {
            context.Response.ContentType = "text/plain";
            await context.Response.WriteAsync(token, cancellationToken);
            return;
        }

        await context.Response.WriteAsJsonAsync(
            new JsonObject { ["access_token"] = token, ["token_type"] = "Bearer", ["expires_in"] = (long)lifetime.TotalSeconds },
            cancellationToken);

        string[] All(string name) => [.. StringValues.Concat(context.Request.Query[name], form[name]).OfType<string>()];

        string? First(string name) => All(name).FirstOrDefault();
    }
}
