using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Testing;

/// <summary>A certification authority of an operator's own, which no machine trusts by itself, and the folder of its certificates.</summary>
public sealed class PrivateAuthority : IDisposable
{
    private static readonly DateTimeOffset s_from = DateTimeOffset.UtcNow.AddDays(-1);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("private-authority-");
    private readonly X509Certificate2 _root;

    public PrivateAuthority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=a private authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        _root = request.CreateSelfSigned(s_from, s_from.AddDays(10));
        Environment = new Dictionary<string, string> { ["SSL_CERT_FILE"] = Write("ca.crt", _root.ExportCertificatePem()) };
    }

    /// <summary>The environment variables with which a process trusts this authority.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; }

    /// <summary>Issues a certificate, and returns the options with which redis-server presents it and trusts this authority.</summary>
    /// <param name="names">Host names and addresses.</param>
    public string[] RedisOptions(params string[] names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=redis", key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address)) alternatives.AddIpAddress(address);
            else alternatives.AddDnsName(name);
        }

        request.CertificateExtensions.Add(alternatives.Build());
        var serialNumber = RandomNumberGenerator.GetBytes(8);
        using var certificate = request.Create(_root, s_from, s_from.AddDays(9), serialNumber);
        var file = Convert.ToHexStringLower(serialNumber);
        return
        [
            "--tls-cert-file", Write($"{file}.crt", certificate.ExportCertificatePem()), "--tls-key-file", Write($"{file}.key", key.ExportPkcs8PrivateKeyPem()),
            "--tls-ca-cert-file", Environment["SSL_CERT_FILE"], "--tls-auth-clients", "no",
        ];
    }

    public void Dispose()
    {
        _root.Dispose();
        _directory.Delete(recursive: true);
    }

    private string Write(string name, string content)
    {
        var file = Path.Combine(_directory.FullName, name);
        File.WriteAllText(file, content);
        return file;
    }
}
