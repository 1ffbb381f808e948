using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Sandbox;
using Testing;

namespace Gateway.Tests.AwsIdentity;

/// <summary>The forms in which Azure gives a workload its token.</summary>
public enum AzureForm
{
    /// <summary>A virtual machine's instance metadata.</summary>
    InstanceMetadata,

    /// <summary>App Service and Container Apps.</summary>
    IdentityEndpoint,

    /// <summary>A pod of Kubernetes.</summary>
    WorkloadIdentity,
}

/// <summary>Azure and a cluster beside a <see cref="World"/>, and the folder and variables of a gateway process that runs there.</summary>
internal sealed class AzureProcess : IAsyncDisposable
{
    private readonly World _world;
    private readonly OpenIdProvider _cluster;
    private readonly X509Certificate2 _certificate;
    private bool _isStarted;

    private AzureProcess(
        World world, AzureEmulator azure, OpenIdProvider cluster, X509Certificate2 certificate, GatewayFolder folder, Dictionary<string, string> environment)
    {
        (_world, Azure, _cluster, _certificate, Folder, Environment) = (world, azure, cluster, certificate, folder, environment);
        IssueServiceAccountToken();
    }

    public AzureEmulator Azure { get; }

    public GatewayFolder Folder { get; }

    public Dictionary<string, string> Environment { get; }

    private string TokenFile => Path.Combine(Folder.Path, "service-account-token");

    public static async Task<AzureProcess> CreateAsync(World world, AzureForm form, Action<JsonObject>? change = null)
    {
        var certificate = SelfSigned();
        var (azure, cluster) = (await AzureEmulator.StartAsync(certificate), await OpenIdProvider.StartAsync());
        azure.LetIn(world.Aws);
        var folder = world.Folder(settings =>
        {
            settings.WithoutRedis().Set(
                "IotCredentials:AwsIdentity",
                $$"""{ "Source": "Azure", "RoleArn": "{{AzureEmulator.RoleArn}}", "Audience": "{{AzureEmulator.Audience}}" }""");
            change?.Invoke(settings);
        });
        folder.Write("authority.pem", certificate.ExportCertificatePem());
        var variables = form switch
        {
            AzureForm.InstanceMetadata => azure.InstanceMetadataVariables,
            AzureForm.IdentityEndpoint => azure.IdentityEndpointVariables,
            _ => azure.WorkloadVariables(cluster, Path.Combine(folder.Path, "service-account-token")),
        };
        var aws = world.Aws.EnvironmentVariables.Where(variable => !AwsEmulator.IsKey(variable.Key));
        return new(
            world, azure, cluster, certificate, folder,
            new Dictionary<string, string>([.. aws, .. variables, new("SSL_CERT_FILE", Path.Combine(folder.Path, "authority.pem"))]));
    }

    /// <summary>Starts the gateway, which removes the folder when it ends.</summary>
    public Task<GatewayProcess> StartAsync()
    {
        _isStarted = true;
        return GatewayProcess.StartAsync(Folder, Environment);
    }

    public void IssueServiceAccountToken() => File.WriteAllText(TokenFile, AzureEmulator.ServiceAccountToken(_cluster));

    public void RemoveServiceAccountToken() => File.Delete(TokenFile);

    public Task<Response> VendAsync(GatewayProcess gateway, string organization) =>
        _world.Client.SendAsync(gateway.Url + Requests.CredentialsPath(organization), _world.Token(organization));

    public async ValueTask DisposeAsync()
    {
        await Azure.DisposeAsync();
        await _cluster.DisposeAsync();
        _certificate.Dispose();
        if (!_isStarted) Folder.Dispose();
    }

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }
}
