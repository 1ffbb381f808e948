using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>A certificate that a listener could not be started with is found before, at the key that names it.</summary>
public sealed class CertificateRuleTests : IDisposable
{
    private const string Password = "hush-password";
    private readonly ConfigurationFixture _configuration = new();

    public void Dispose() => _configuration.Dispose();

    [Theory]
    [InlineData("F10 no such file", """{ "Path": "none.crt", "KeyPath": "a.key" }""", "Path", "is not there")]
    [InlineData("F10 no such key", """{ "Path": "a.crt", "KeyPath": "none.key" }""", "KeyPath", "is not there")]
    [InlineData("F10 the key of another", """{ "Path": "a.crt", "KeyPath": "b.key" }""", "KeyPath", "another certificate")]
    [InlineData("F10 the certificate as its key", """{ "Path": "a.crt", "KeyPath": "a.crt" }""", "KeyPath", "without a private key")]
    [InlineData("F10 the key as its certificate", """{ "Path": "a.key", "KeyPath": "a.key" }""", "Path", "no certificate in PEM")]
    [InlineData("F10 no key at all", """{ "Path": "a.crt" }""", "Path", "Name the key's file as KeyPath")]
    [InlineData("F10 a key that needs a password", """{ "Path": "a.crt", "KeyPath": "encrypted.key" }""", "Password", "is required")]
    [InlineData(
        "F10 a key with another password", """{ "Path": "a.crt", "KeyPath": "encrypted.key", "Password": "other-secret" }""", "Password", "does not open")]
    [InlineData("F10 a container with another password", """{ "Path": "a.pfx", "Password": "other-secret" }""", "Password", "does not open")]
    [InlineData("F10 a container without its password", """{ "Path": "a.pfx" }""", "Path", "without a password")]
    [InlineData("F10 a container that is none", """{ "Path": "empty", "Password": "other-secret" }""", "Password", "no PKCS #12 file")]
    [InlineData("F10 a certificate for clients", """{ "Path": "client.crt", "KeyPath": "client.key" }""", "Path", "not for servers")]
    [InlineData("F10 a container with a certificate for code", """{ "Path": "code.pfx", "Password": "hush-password" }""", "Path", "not for servers")]
    [InlineData("F10 a subject that no store has", """{ "Subject": "nobody.example.com" }""", "Subject", "has no certificate of it")]
    [InlineData(
        "F10 a store that is none", """{ "Subject": "nobody.example.com", "Store": "None", "AllowInvalid": true }""", "Subject", "has no certificate of it")]
    [InlineData("F10 a place that is a number", """{ "Subject": "localhost", "Location": "7" }""", "Location", "not a location of certificate stores")]
    [InlineData("F10 two places", """{ "Subject": "localhost", "Location": "CurrentUser, LocalMachine" }""", "Location", "not a location of certificate")]
    [InlineData("F10 a place that is none", """{ "Subject": "localhost", "Location": "Machine" }""", "Location", "not a location of certificate stores")]
    [InlineData("F10 a word for true", """{ "Subject": "localhost", "AllowInvalid": "yes" }""", "AllowInvalid", "true or false")]
    [InlineData("F10 a file and a store", """{ "Path": "a.crt", "KeyPath": "a.key", "Subject": "localhost" }""", "Subject", "together with Path")]
    [InlineData("F10 a container without a key", """{ "Path": "public.pfx" }""", "Path", "no private key")]
    public void F10_A_certificate_that_cannot_be_used(string name, string json, string key, string expected)
    {
        Write();
        foreach (var place in (string[])
            ["Kestrel:Endpoints:Https:Certificate", "Kestrel:Endpoints:Https:Sni:*.example.com:Certificate", "Kestrel:Certificates:Default"])
        {
            Listen().Set(place, json);
            var finding = Assert.Single(_configuration.Load().Findings);
            Assert.True((finding.Severity, finding.Key) == (Severity.Error, $"{place}:{key}"), $"{name}: {finding}");
            Assert.Contains(expected, finding.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("secret", finding.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("""{ "Path": "a.crt", "KeyPath": "a.key" }""")]
    [InlineData("""{ "Path": "a.crt", "KeyPath": "encrypted.key", "Password": "hush-password" }""")]
    [InlineData("""{ "Path": "marked.crt", "KeyPath": "marked.key" }""")]
    [InlineData("""{ "Path": "a.pfx", "Password": "hush-password" }""")]
    public void F10_A_certificate_that_can_be_used_is_good(string json)
    {
        Write();
        Listen().Set("Kestrel:Endpoints:Https:Certificate", json).LoadGood();
    }

    [Theory]
    [InlineData(-400, 10, "expires on")]
    [InlineData(-400, -1, "expired on")]
    [InlineData(5, 400, "not valid before")]
    public void F10_A_certificate_near_its_end_is_a_warning(int from, int until, string expected)
    {
        Write(from, until);
        Listen().Set("Kestrel:Endpoints:Https:Certificate", """{ "Path": "a.crt", "KeyPath": "a.key" }""");
        var finding = Assert.Single(_configuration.Load().Findings);
        Assert.Equal((Severity.Warning, "Kestrel:Endpoints:Https:Certificate:Path"), (finding.Severity, finding.Key));
        Assert.Contains(expected, finding.Message, StringComparison.Ordinal);
    }

    private ConfigurationFixture Listen()
    {
        _configuration.Write("appsettings.json", Example.Json);
        return _configuration.Set("Urls", null).Set("Kestrel:Endpoints:Https:Url", "\"https://localhost:8443\"");
    }

    private void Write(int from = -1, int until = 400)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = DateTimeOffset.UtcNow;
        using var certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(from), now.AddDays(until));
        using var withoutKey = X509CertificateLoader.LoadCertificate(certificate.RawData);
        _configuration.Write("a.crt", certificate.ExportCertificatePem());
        _configuration.Write("a.key", key.ExportPkcs8PrivateKeyPem());
        _configuration.Write("marked.crt", "\uFEFF" + certificate.ExportCertificatePem());
        _configuration.Write("marked.key", "\uFEFF" + key.ExportPkcs8PrivateKeyPem());
        _configuration.Write("b.key", other.ExportPkcs8PrivateKeyPem());
        _configuration.Write(
            "encrypted.key",
            key.ExportEncryptedPkcs8PrivateKeyPem(Password, new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000)));
        WriteFor("client", "1.3.6.1.5.5.7.3.2");
        WriteFor("code", "1.3.6.1.5.5.7.3.3");
        _configuration.Write("empty", "");
        File.WriteAllBytes(Path.Combine(_configuration.Folder, "a.pfx"), certificate.Export(X509ContentType.Pkcs12, Password));
        File.WriteAllBytes(Path.Combine(_configuration.Folder, "public.pfx"), withoutKey.Export(X509ContentType.Pkcs12));
    }

    private void WriteFor(string name, string usage)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], false));
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(400));
        _configuration.Write($"{name}.crt", certificate.ExportCertificatePem());
        _configuration.Write($"{name}.key", key.ExportPkcs8PrivateKeyPem());
        File.WriteAllBytes(Path.Combine(_configuration.Folder, $"{name}.pfx"), certificate.Export(X509ContentType.Pkcs12, Password));
    }
}
