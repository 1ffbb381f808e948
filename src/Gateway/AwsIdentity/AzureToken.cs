using System.Text.RegularExpressions;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Identity;
using IotCredentials.Failures;
using Microsoft.Identity.Client;

namespace Gateway.AwsIdentity;

/// <summary>A kind of Azure identity: its name for operators, the address that its token comes from, and how it is requested.</summary>
internal sealed partial class AzureToken
{
    private const string FederatedTokenFile = "AZURE_FEDERATED_TOKEN_FILE";
    private const string TenantId = "AZURE_TENANT_ID";
    private const string ClientId = "AZURE_CLIENT_ID";
    private const string AuthorityHost = "AZURE_AUTHORITY_HOST";
    private const string MetadataHost = "AZURE_POD_IDENTITY_AUTHORITY_HOST";

    // Azure.Identity's own policy retries the instance metadata for half a minute, and callers would not learn the cause. The gateway itself retries every
    // two seconds.
    private static readonly RetryPolicy s_retries = new(maxRetries: 1, DelayStrategy.CreateFixedDelayStrategy(TimeSpan.FromMilliseconds(500)));

    private readonly Func<TokenCredential> _create;
    private TokenCredential? _credential;

    private AzureToken(string name, Uri? address, Func<TokenCredential> create) => (Name, Address, _create) = (name, address, create);

    /// <summary>The kind in words.</summary>
    public string Name { get; }

    private Uri? Address { get; }

    /// <summary>A workload identity if the platform mounts its token, else a managed identity.</summary>
    /// <param name="clientId">The identity's client id; null for the one that the platform names.</param>
    public static AzureToken OfProcess(string? clientId)
    {
        if (Variable(FederatedTokenFile) is not null)
            return new($"the Azure workload identity ({FederatedTokenFile})", AddressIn(AuthorityHost, "https://login.microsoftonline.com"), Workload);
        return Variable("IDENTITY_ENDPOINT") is not null
            ? new("the Azure managed identity (IDENTITY_ENDPOINT)", AddressIn("IDENTITY_ENDPOINT", null), () => Managed("IDENTITY_ENDPOINT"))
            : new("the Azure managed identity (instance metadata)", AddressIn(MetadataHost, "http://169.254.169.254"), () => Managed(MetadataHost));

        WorkloadIdentityCredential Workload()
        {
            Require(TenantId, static text => text.All(static one => char.IsAsciiLetterOrDigit(one) || one is '-' or '.'), "a tenant's id");
            Require(AuthorityHost, static text => IsAddress(text, Uri.UriSchemeHttps), "an address that begins with https://");
            return new(new WorkloadIdentityCredentialOptions
            {
                ClientId = Client(),
                RetryPolicy = s_retries,
                // The platform names the authority. Without this, each start would also depend on login.microsoftonline.com, which not every cloud reaches.
                DisableInstanceDiscovery = true,
            });
        }

        ManagedIdentityCredential Managed(string address)
        {
            Require(address, static text => IsAddress(text, Uri.UriSchemeHttp, Uri.UriSchemeHttps), "an address that begins with http:// or https://");
            return new(new ManagedIdentityCredentialOptions(
                Client() is { } client ? ManagedIdentityId.FromUserAssignedClientId(client) : ManagedIdentityId.SystemAssigned)
            {
                RetryPolicy = s_retries,
            });
        }

        string? Client()
        {
            if (clientId is null) Require(ClientId, static text => text.Length == 36 && Guid.TryParseExact(text, "D", out _), "a client id, which is a GUID");
            return clientId ?? Variable(ClientId);
        }
    }

    /// <summary>A credential of a test.</summary>
    public static AzureToken Of(string name, TokenCredential credential) => new(name, null, () => credential);

    /// <summary>Requests the token, or takes it from the library's cache. Not for concurrent use.</summary>
    public async Task<string> GetAsync(string audience, CancellationToken cancellation)
    {
        // Created here, where a variable that the library does not take is a cause like any other.
        _credential ??= _create();
        return (await _credential.GetTokenAsync(new TokenRequestContext([$"{audience}/.default"]), cancellation)).Token;
    }

    /// <summary>
    /// Drops a workload identity's cached tokens after a failure, so that the next request sees what was mended: Azure.Identity keeps the service account's
    /// token for five minutes and Entra's until it expires. A managed identity's token stays until it expires: the library caches it for the whole process, and
    /// the platform does, too.
    /// </summary>
    public void Reset() => _credential = null;

    /// <summary>The cause of a failed request, and the remedy if it is known. Nothing of the response is in it but its status and Entra's code.</summary>
    public string CauseOf(Exception error)
    {
        for (var cause = error; cause is not null; cause = cause.InnerException)
        {
            if (cause is HttpRequestException) break;
            if (cause is IOException or UnauthorizedAccessException)
                return $"{FederatedTokenFile} names a file that cannot be read ({cause.GetType().Name})";
            if (EntraCode().Match(cause.Message) is { Success: true } code) return $"{code.Value}{RemedyOf(code.Value)}";
            if (cause is MsalServiceException { StatusCode: 200 }) return "200, and the response is not one of the endpoint's";
            // MSAL gives no status for the refusal of the instance metadata.
            if (cause is MsalServiceException { StatusCode: 400 } or MsalServiceException { StatusCode: 0, InnerException: null })
                return "400: the identity is not assigned here, or Entra has no application of that audience";
            if (cause is MsalServiceException { StatusCode: > 0 and var status }) return $"{status}";
        }

        return error is CredentialUnavailableException { InnerException: null }
            ? $"its variables are not complete: {TenantId}, {ClientId} and {FederatedTokenFile}"
            : FailureText.Of(error, Address);
    }

    private static string RemedyOf(string code) => code switch
    {
        "AADSTS70021" or "AADSTS700211" or "AADSTS700212" or "AADSTS700213" =>
            ": no federated credential of the identity matches the service account's token: compare issuer, subject and audience",
        "AADSTS500011" => ": the tenant has no application of that audience",
        "AADSTS700016" => ": the tenant has no identity of that client id",
        "AADSTS90002" => $": there is no tenant of that id ({TenantId})",
        _ => "",
    };

    private static void Require(string variable, Predicate<string> isValid, string form)
    {
        if (Variable(variable) is { } text && !isValid(text))
            throw new VendingException(FailureClass.Credentials, $"{variable} is malformed: it is not {form}");
    }

    private static bool IsAddress(string text, params string[] schemes) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address) && schemes.Contains(address.Scheme, StringComparer.Ordinal);

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    private static Uri? AddressIn(string variable, string? otherwise) =>
        Uri.TryCreate(Variable(variable) ?? otherwise, UriKind.Absolute, out var uri) ? uri : null;

    [GeneratedRegex(@"AADSTS[0-9]{4,8}\b")]
    private static partial Regex EntraCode();
}
