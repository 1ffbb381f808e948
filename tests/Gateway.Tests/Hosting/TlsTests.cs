using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Gateway.Tests.ApiReference;
using Microsoft.Extensions.Logging;
using Testing;
using Xunit;

namespace Gateway.Tests.Hosting;

/// <summary>TLS by Kestrel's configuration, and certificates that are renewed under it.</summary>
public sealed class TlsTests(TlsTests.Worlds worlds) : IClassFixture<TlsTests.Worlds>, IDisposable
{
    private const string Year = "max-age=31536000";

    private readonly World _world = worlds.World;
    private readonly IssuedCertificates _certificates = new();

    public void Dispose() => _certificates.Dispose();

    [Theory]
    [InlineData("h2")]
    [InlineData("http/1.1")]
    public async Task A_client_gets_the_version_that_it_asks_for(string version)
    {
        var gateway = await StartAsync(Write("tls"));

        var (_, chain, protocol) = await HandshakeAsync(gateway, version);

        Assert.Equal(version, protocol);
        Assert.Contains("CN=intermediate", chain);
    }

    [Fact]
    public async Task Requests_over_HTTP_2_are_answered_and_told_to_stay_on_https()
    {
        var gateway = await StartAsync(Write("tls"));
        using var client = Client();

        foreach (var (path, status) in ((string, int)[])
            [(Requests.CredentialsPath("o-tls"), 200), ("/organizations/o-tls/1", 200), ("/organizations/o-other/1", 403), ("/nowhere", 404), ("/a//b", 400)])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, gateway.Url + path)
            {
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
            request.Headers.Add("Authorization", $"Bearer {_world.Token("o-tls")}");
            using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);

            Assert.Equal((path, status), (path, (int)answer.StatusCode));
            Assert.Matches("^[0-9a-f]{32}$", Assert.Single(answer.Headers.GetValues("X-Request-Id")));
            Assert.Equal([Year], answer.Headers.GetValues("Strict-Transport-Security"));
        }
    }

    [Fact]
    public async Task A_certificate_and_its_key_may_begin_with_a_byte_order_mark()
    {
        var issued = _certificates.Issue();
        _certificates.Write("marked", issued with { Chain = "\uFEFF" + issued.Chain, Key = "\uFEFF" + issued.Key });
        var gateway = await StartAsync("marked");

        Assert.Equal(issued.Thumbprint, (await HandshakeAsync(gateway)).Thumbprint);
    }

    [Fact]
    public async Task Over_plain_http_nobody_is_told_to_stay_on_https()
    {
        var gateway = await _world.StartGatewayAsync(settings => settings.WithoutRedis());

        Assert.False((await gateway.SendAsync("/nowhere")).Headers.Contains("Strict-Transport-Security"));
    }

    [Fact]
    public async Task A_certificate_that_is_replaced_is_renewed_without_closing_what_is_open()
    {
        var first = _certificates.Issue();
        _certificates.Write("tls", first);
        var gateway = await StartAsync("tls");
        using var client = Client();
        var connections = 0;
        using var counted = Client(() => connections++);
        Assert.Equal(401, (await counted.SendAsync(gateway.Url + "/nowhere")).Status);
        Assert.Equal(first.Thumbprint, (await HandshakeAsync(gateway)).Thumbprint);

        var second = _certificates.Issue();
        _certificates.Write("tls", second);
        await gateway.Log.WaitForAsync(LogLevel.Information, "was renewed");

        var (thumbprint, chain, _) = await HandshakeAsync(gateway);
        Assert.Equal(second.Thumbprint, thumbprint);
        Assert.Contains("CN=intermediate", chain);
        Assert.Equal(401, (await client.SendAsync(gateway.Url + "/nowhere")).Status);
        Assert.Equal(401, (await counted.SendAsync(gateway.Url + "/nowhere")).Status);
        Assert.Equal(1, connections);
    }

    [Fact]
    public async Task A_certificate_behind_a_swapped_link_is_renewed_time_and_again()
    {
        _certificates.Swap("..1", _certificates.Issue());
        Directory.CreateDirectory(_certificates.PathOf("mounted"));
        foreach (var file in (string[])["tls.crt", "tls.key"]) File.CreateSymbolicLink(_certificates.PathOf($"mounted/{file}"), $"../..data/{file}");
        var gateway = await StartAsync("mounted");

        for (var i = 2; i < 4; i++)
        {
            var next = _certificates.Issue();
            _certificates.Swap($"..{i}", next);
            await AssertServedAsync(gateway, next);
        }
    }

    [Fact]
    public async Task A_certificate_with_a_password_and_one_for_a_name_are_renewed()
    {
        var (byDefault, named) = (_certificates.Issue(), _certificates.Issue());
        await File.WriteAllBytesAsync(_certificates.PathOf("default.pfx"), byDefault.Pkcs12, TestContext.Current.CancellationToken);
        _certificates.Write("named", named);
        var gateway = await StartAsync(settings => settings
            .Set("Kestrel:Certificates:Default", $$"""{ "Path": "{{_certificates.PathOf("default.pfx")}}", "Password": "hush-password" }""")
            .Set("Kestrel:Endpoints:Https:Sni:named.example:Certificate", Files("named"))
            .Set("Kestrel:Endpoints:Https:Sni:*", "{}"));
        Assert.Equal(byDefault.Thumbprint, (await HandshakeAsync(gateway)).Thumbprint);
        Assert.Equal(named.Thumbprint, (await HandshakeAsync(gateway, name: "named.example")).Thumbprint);

        var (nextDefault, nextNamed) = (_certificates.Issue(), _certificates.Issue());
        await File.WriteAllBytesAsync(_certificates.PathOf("default.pfx"), nextDefault.Pkcs12, TestContext.Current.CancellationToken);
        _certificates.Write("named", nextNamed);

        await AssertServedAsync(gateway, nextDefault);
        await AssertServedAsync(gateway, nextNamed, "named.example");
        Assert.DoesNotContain("hush-password", gateway.Log.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tls.crt", "nonsense")]
    [InlineData("tls.key", "-----BEGIN PRIVATE KEY-----\naHVzaC1rZXktaHVzaC1rZXktaHVzaA==\n-----END PRIVATE KEY-----")]
    [InlineData("tls.key", null)]
    public async Task A_broken_file_leaves_the_certificate_before_and_is_told_once_without_its_content(string file, string? content)
    {
        var first = _certificates.Issue();
        _certificates.Write("tls", first);
        var gateway = await StartAsync("tls");

        if (content is null) File.Delete(_certificates.PathOf($"tls/{file}"));
        else _certificates.Replace($"tls/{file}", content);
        await gateway.Log.WaitForAsync(LogLevel.Error, "the one before stays in use");

        Assert.Equal(first.Thumbprint, (await HandshakeAsync(gateway)).Thumbprint);
        Assert.DoesNotContain("aHVzaC1r", gateway.Log.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("PRIVATE", gateway.Log.Text, StringComparison.Ordinal);
        var second = _certificates.Issue();
        _certificates.Write("tls", second);
        await AssertServedAsync(gateway, second);
        Assert.Equal(1, gateway.Log.Count(LogLevel.Error, "the one before stays in use"));
    }

    [Fact]
    public async Task A_certificate_with_a_key_that_cannot_sign_is_told_and_not_used()
    {
        var first = _certificates.Issue();
        _certificates.Write("tls", first);
        var gateway = await StartAsync("tls");
        using var key = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        using var authority = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(new X500DistinguishedName("CN=127.0.0.1"), new PublicKey(key), HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyAgreement, critical: true));
        var now = DateTimeOffset.UtcNow;
        using var certificate = request.Create(request.SubjectName, X509SignatureGenerator.CreateForECDsa(authority), now.AddDays(-1), now.AddDays(1), [1]);

        _certificates.Replace("tls/tls.crt", certificate.ExportCertificatePem());
        _certificates.Replace("tls/tls.key", key.ExportPkcs8PrivateKeyPem());
        await gateway.Log.WaitForAsync(LogLevel.Error, "the one before stays in use");
        var second = _certificates.Issue();
        _certificates.Write("tls", second);

        await AssertServedAsync(gateway, second);
    }

    [Fact]
    public async Task A_key_of_another_certificate_is_told_and_not_used()
    {
        var first = _certificates.Issue();
        _certificates.Write("tls", first);
        var gateway = await StartAsync("tls");

        _certificates.Replace("tls/tls.key", _certificates.Issue().Key);
        await gateway.Log.WaitForAsync(LogLevel.Error, "The key is not the certificate's.");

        Assert.Equal(first.Thumbprint, (await HandshakeAsync(gateway)).Thumbprint);
    }

    [Theory]
    [InlineData("Http", "Https")]
    [InlineData("Internal", "Public")]
    [InlineData("ZZ", "AA")]
    public async Task The_document_of_the_API_names_a_listener_with_TLS_if_there_is_one(string plain, string secure)
    {
        var gateway = await _world.StartGatewayAsync(settings =>
        {
            settings.WithoutRedis().Remove("Urls");
            settings.Set($"Kestrel:Endpoints:{plain}:Url", "\"http://127.0.0.1:0\"");
            settings.Set($"Kestrel:Endpoints:{secure}", $$"""{ "Url": "https://127.0.0.1:0", "Certificate": {{Files(Write("tls"))}} }""");
        });

        var document = await _world.Client.GetDocumentAsync(gateway);

        Assert.StartsWith("https://127.0.0.1:", (string?)document["servers"]![0]!["variables"]!["gateway"]!["default"], StringComparison.Ordinal);
    }

    private string Write(string folder)
    {
        _certificates.Write(folder, _certificates.Issue());
        return folder;
    }

    private string Files(string folder) =>
        $$"""{ "Path": "{{_certificates.PathOf($"{folder}/tls.crt")}}", "KeyPath": "{{_certificates.PathOf($"{folder}/tls.key")}}" }""";

    private Task<RunningGateway> StartAsync(string folder) => StartAsync(settings => settings.Set("Kestrel:Endpoints:Https:Certificate", Files(folder)));

    private Task<RunningGateway> StartAsync(Action<JsonObject> change) => _world.StartGatewayAsync(settings =>
    {
        settings.WithoutRedis().Remove("Urls");
        settings.Set("Kestrel:Endpoints:Https:Url", "\"https://127.0.0.1:0\"");
        change(settings);
    });

    private static Task AssertServedAsync(RunningGateway gateway, Issued expected, string name = "localhost") =>
        Eventually.IsTrueAsync(async () => (await HandshakeAsync(gateway, name: name)).Thumbprint == expected.Thumbprint, () => gateway.Log.Text);

    private HttpClient Client(Action? onConnection = null) => new(new SocketsHttpHandler
    {
        SslOptions = new SslClientAuthenticationOptions
        {
            RemoteCertificateValidationCallback = (_, certificate, chain, _) =>
            {
                onConnection?.Invoke();
                chain!.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
                chain.ChainPolicy.CustomTrustStore.Add(_certificates.Root);
                return chain.Build((X509Certificate2)certificate!);
            },
        },
    });

    private static async Task<(string Thumbprint, IReadOnlyList<string> Chain, string Protocol)> HandshakeAsync(
        RunningGateway gateway, string version = "http/1.1", string name = "localhost")
    {
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(IPAddress.Loopback, new Uri(gateway.Url).Port);
        IReadOnlyList<string> sent = [];
        await using var tls = new SslStream(tcp.GetStream());
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = name,
            ApplicationProtocols = [new SslApplicationProtocol(version)],
            RemoteCertificateValidationCallback = (_, _, chain, _) =>
            {
                sent = [.. chain!.ChainPolicy.ExtraStore.Select(certificate => certificate.Subject)];
                return true;
            },
        });
        return (((X509Certificate2)tls.RemoteCertificate!).Thumbprint, sent, tls.NegotiatedApplicationProtocol.ToString());
    }

    public sealed class Worlds : IAsyncLifetime
    {
        public World World { get; private set; } = null!;

        public async ValueTask InitializeAsync() => World = await World.StartAsync();

        public ValueTask DisposeAsync() => World.DisposeAsync();
    }
}
