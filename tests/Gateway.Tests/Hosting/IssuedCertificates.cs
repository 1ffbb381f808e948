using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Gateway.Tests.Hosting;

/// <summary>A certification authority with one below it, and a folder where certificates are renewed in the ways that operators' tools do it.</summary>
public sealed class IssuedCertificates : IDisposable
{
    private static readonly DateTimeOffset s_from = DateTimeOffset.UtcNow.AddDays(-1);
    private readonly X509Certificate2 _intermediate;

    public IssuedCertificates()
    {
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var root = Authority("CN=root", rootKey);
        Root = root.CreateSelfSigned(s_from, s_from.AddYears(2));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        _intermediate = Authority("CN=intermediate", key).Create(Root, s_from, s_from.AddYears(1), RandomNumberGenerator.GetBytes(8)).CopyWithPrivateKey(key);
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("certificates-").FullName;

    public X509Certificate2 Root { get; }

    /// <summary>Issues a certificate for 127.0.0.1 and localhost: chain and key, each as PEM.</summary>
    public Issued Issue()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using var leaf = request.Create(_intermediate, s_from, s_from.AddDays(90), RandomNumberGenerator.GetBytes(8));
        using var withKey = leaf.CopyWithPrivateKey(key);
        return new(
            leaf.Thumbprint, leaf.ExportCertificatePem() + "\n" + _intermediate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem(),
            new X509Certificate2Collection { withKey, _intermediate }.Export(X509ContentType.Pkcs12, "hush-password")!);
    }

    public string PathOf(string file) => Path.Combine(Folder, file);

    public void Write(string folder, Issued issued)
    {
        Directory.CreateDirectory(PathOf(folder));
        Replace(Path.Combine(folder, "tls.crt"), issued.Chain);
        Replace(Path.Combine(folder, "tls.key"), issued.Key);
    }

    public void Replace(string file, string content)
    {
        File.WriteAllText(PathOf("unfinished"), content);
        File.Move(PathOf("unfinished"), PathOf(file), overwrite: true);
    }

    /// <summary>As a mounted secret is renewed: a new folder, and a link to it in the place of the old link.</summary>
    public void Swap(string folder, Issued issued)
    {
        Write(folder, issued);
        File.CreateSymbolicLink(PathOf("..swap"), folder);
        using var move = Process.Start("mv", ["-T", PathOf("..swap"), PathOf("..data")]);
        move.WaitForExit();
    }

    public void Dispose()
    {
        Root.Dispose();
        _intermediate.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    private static CertificateRequest Authority(string name, ECDsa key)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        return request;
    }
}

/// <summary>A certificate, as its files hold it.</summary>
public sealed record Issued(string Thumbprint, string Chain, string Key, byte[] Pkcs12);
