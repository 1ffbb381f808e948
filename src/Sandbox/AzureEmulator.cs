using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;

namespace Sandbox;

/// <summary>
/// Emulates where a workload on Azure gets an Entra token: a virtual machine's instance metadata, the identity endpoint of App Service and Container Apps, and
/// Entra's token endpoint, which exchanges a Kubernetes service account's token. The tokens are of an issuer that <see cref="AwsEmulator"/> can trust.
/// </summary>
public sealed class AzureEmulator : IAsyncDisposable
{
    /// <summary>The tenant.</summary>
    public const string TenantId = "11111111-2222-3333-4444-555555555555";

    /// <summary>The identity's client id.</summary>
    public const string ClientId = "66666666-7777-8888-9999-000000000000";

    /// <summary>The identity's object id, which is the <c>sub</c> of its tokens.</summary>
    public const string ObjectId = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";

    /// <summary>The client id of the only application that the tenant issues tokens for.</summary>
    public const string ApplicationId = "22222222-3333-4444-5555-666666666666";

    /// <summary>The Application ID URI of that application.</summary>
    public const string Audience = $"api://{ApplicationId}";

    /// <summary>The role that <see cref="LetIn"/> makes.</summary>
    public const string RoleArn = "arn:aws:iam::111122223333:role/iot-gateway";

    private const string FederationAudience = "api://AzureADTokenExchange";
    private const string ServiceAccount = "system:serviceaccount:iot:iot-gateway";

    private readonly OpenIdProvider _entra;
    private readonly string _identityHeader = Guid.NewGuid().ToString("N");
    private readonly WebIdentities _federated = new();
    private LocalServer _server = null!;
    private LocalServer? _authority;

    private AzureEmulator(OpenIdProvider entra) => _entra = entra;

    /// <summary>The address of the instance metadata and of the identity endpoint.</summary>
    public string Url => $"http://127.0.0.1:{_server.Port}";

    /// <summary>The application's <c>requestedAccessTokenVersion</c>: 1 or 2. Default: 1, as in Entra.</summary>
    public int TokenVersion { get; set; } = 1;

    /// <summary>The issuer of the tokens. In version 1 it ends with a slash.</summary>
    public string Issuer => $"{_entra.Issuer}/{TenantId}/{(TokenVersion == 1 ? "" : "v2.0")}";

    /// <summary>
    /// The lifetime of tokens. Default: four minutes. Microsoft's library then requests one for each use, because it takes no token with less than five minutes
    /// left out of its cache.
    /// </summary>
    public TimeSpan TokenLifetime { get; set; } = TimeSpan.FromMinutes(4);

    /// <summary>Changes a token before it is issued.</summary>
    public Func<TokenRequest, TokenRequest>? ChangeToken { get; set; }

    /// <summary>Responds in place of the emulator, and returns whether it did.</summary>
    public Func<HttpContext, CancellationToken, Task<bool>>? Instead { get; set; }

    /// <summary>The variables of a virtual machine. A real one has none: its address is the same everywhere.</summary>
    public IReadOnlyDictionary<string, string> InstanceMetadataVariables => new Dictionary<string, string> { ["AZURE_POD_IDENTITY_AUTHORITY_HOST"] = Url };

    /// <summary>The variables of App Service and Container Apps.</summary>
    public IReadOnlyDictionary<string, string> IdentityEndpointVariables =>
        new Dictionary<string, string> { ["IDENTITY_ENDPOINT"] = $"{Url}/msi/token", ["IDENTITY_HEADER"] = _identityHeader };

    /// <summary>Starts the emulator.</summary>
    /// <param name="authority">
    /// The certificate of Entra's token endpoint for <c>127.0.0.1</c>, since Microsoft's library requires https there. Null: there is no token endpoint.
    /// </param>
    /// <returns>The running emulator.</returns>
    public static async Task<AzureEmulator> StartAsync(X509Certificate2? authority = null)
    {
        var emulator = new AzureEmulator(await OpenIdProvider.StartAsync());
        emulator._server = await LocalServer.StartAsync(0, emulator.RespondAsync);
        if (authority is not null) emulator._authority = await LocalServer.StartAsync(0, emulator.RespondAsync, authority);
        return emulator;
    }

    /// <summary>Makes an AWS account trust the tokens of the current version, and lets this identity assume <see cref="RoleArn"/>.</summary>
    /// <param name="aws">AWS.</param>
    public void LetIn(AwsEmulator aws)
    {
        aws.AddIdentityProvider("111122223333", Issuer, TokenVersion == 1 ? Audience : ClientId);
        aws.AddRole(new AwsRole(RoleArn, WebIdentitySubject: ObjectId));
    }

    /// <summary>Gives the identity a federated credential, and returns the variables of a pod that uses it.</summary>
    /// <param name="cluster">The cluster's issuer.</param>
    /// <param name="tokenFile">The file of the service account's token.</param>
    /// <returns>The variables.</returns>
    public IReadOnlyDictionary<string, string> WorkloadVariables(OpenIdProvider cluster, string tokenFile)
    {
        _federated.Add(ClientId, cluster.Issuer, [FederationAudience]);
        return new Dictionary<string, string>
        {
            ["AZURE_AUTHORITY_HOST"] = $"https://127.0.0.1:{_authority!.Port}/",
            ["AZURE_TENANT_ID"] = TenantId,
            ["AZURE_CLIENT_ID"] = ClientId,
            ["AZURE_FEDERATED_TOKEN_FILE"] = tokenFile,
        };
    }

    /// <summary>A service account's token that the identity's federated credential matches.</summary>
    /// <param name="cluster">The cluster's issuer.</param>
    /// <returns>The token.</returns>
    public static string ServiceAccountToken(OpenIdProvider cluster) =>
        cluster.Issue(new TokenRequest { Subject = ServiceAccount, Audiences = [FederationAudience] });

    /// <summary>Replaces the issuer's keys, and withdraws the old ones.</summary>
    public void RotateKeys()
    {
        _entra.RotateKeys();
        _entra.WithdrawOldKeys();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        if (_authority is not null) await _authority.DisposeAsync();
        await _entra.DisposeAsync();
        _federated.Dispose();
    }

    private async Task RespondAsync(HttpContext context, CancellationToken cancellationToken)
    {
        if (Instead is { } instead && await instead(context, cancellationToken)) return;
        var (status, body) = (context.Request.Method, context.Request.Path.Value) switch
        {
            ("GET", "/metadata/identity/oauth2/token") when context.Request.Headers["Metadata"] == "true" => ManagedIdentityToken(context.Request.Query),
            ("GET", "/msi/token") when context.Request.Headers["X-IDENTITY-HEADER"] == _identityHeader => ManagedIdentityToken(context.Request.Query),
            ("POST", $"/{TenantId}/oauth2/v2.0/token") when context.Request.HasFormContentType =>
                await ExchangeAsync(await context.Request.ReadFormAsync(cancellationToken), cancellationToken),
            _ => (StatusCodes.Status404NotFound, new JsonObject()),
        };
        context.Response.StatusCode = status;
        await context.Response.WriteAsJsonAsync(body, cancellationToken);
    }

    private (int, JsonObject) ManagedIdentityToken(IQueryCollection query)
    {
        if (query["client_id"].FirstOrDefault() is { } client && client != ClientId) return Error("invalid_request", "Identity not found");
        var audience = query["resource"].ToString();
        if (audience != Audience) return NoApplication(audience);
        return (StatusCodes.Status200OK, new JsonObject
        {
            ["access_token"] = Issue(),
            ["expires_in"] = Seconds(),
            ["expires_on"] = (DateTimeOffset.UtcNow + TokenLifetime).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
            ["resource"] = audience,
            ["token_type"] = "Bearer",
        });
    }

    private async Task<(int, JsonObject)> ExchangeAsync(IFormCollection form, CancellationToken cancellationToken)
    {
        if (form["client_id"] != ClientId) return Error("unauthorized_client", "AADSTS700016: Application with that identifier was not found in the directory");
        if (form["scope"].ToString().Split(' ').FirstOrDefault(static scope => scope.EndsWith("/.default", StringComparison.Ordinal)) is not { } scope)
            return Error("invalid_scope", "AADSTS70011: The provided value for scope is not valid.");
        if (scope != $"{Audience}/.default") return NoApplication(scope);
        try
        {
            var (_, _, subject) = await _federated.CheckAsync(ClientId, form["client_assertion"], DateTimeOffset.UtcNow, cancellationToken);
            if (subject != ServiceAccount) return NoFederatedCredential();
        }
        catch (AwsErrorException)
        {
            return NoFederatedCredential();
        }

        return (StatusCodes.Status200OK, new JsonObject
        {
            ["token_type"] = "Bearer",
            ["expires_in"] = (long)TokenLifetime.TotalSeconds,
            ["access_token"] = Issue(),
        });
    }

    private string Issue()
    {
        // Each version has its own claim for the identity that the token was issued to.
        var (audience, client, version) = TokenVersion == 1 ? (Audience, "appid", "1.0") : (ApplicationId, "azp", "2.0");
        var request = new TokenRequest
        {
            Issuer = Issuer,
            Subject = ObjectId,
            Audiences = [audience],
            Expires = TokenLifetime,
            Type = "JWT",
            Claims = new Dictionary<string, object?> { [client] = ClientId, ["ver"] = version },
        };
        return _entra.Issue(ChangeToken?.Invoke(request) ?? request);
    }

    private string Seconds() => ((long)TokenLifetime.TotalSeconds).ToString(CultureInfo.InvariantCulture);

    private static (int, JsonObject) NoApplication(string audience) => Error(
        "invalid_resource", $"AADSTS500011: The resource principal named {audience} was not found in the tenant named {TenantId}.");

    private static (int, JsonObject) NoFederatedCredential() => Error(
        "invalid_client", "AADSTS700213: No matching federated identity record found for presented assertion subject.", StatusCodes.Status401Unauthorized);

    private static (int, JsonObject) Error(string code, string description, int status = StatusCodes.Status400BadRequest) =>
        (status, new JsonObject { ["error"] = code, ["error_description"] = description });
}
