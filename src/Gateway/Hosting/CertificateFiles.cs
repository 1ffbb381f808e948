using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Gateway.Configuration;

namespace Gateway.Hosting;

/// <summary>A certificate that Kestrel's configuration names by its files: <c>Path</c>, and optionally <c>KeyPath</c> and <c>Password</c>.</summary>
internal sealed record CertificateFiles(string Path, string? KeyPath, string? Password)
{
    /// <summary>Every such certificate in a section: those of endpoints, of their server names, and the default one.</summary>
    /// <param name="section">Kestrel's section, or a section within it.</param>
    /// <param name="folder">The folder that paths are relative to.</param>
    public static IEnumerable<CertificateFiles> In(IConfiguration section, string folder)
    {
        foreach (var child in section.GetChildren())
        {
            if (child["Path"] is { Length: > 0 } path)
                yield return new(
                    System.IO.Path.Combine(folder, path),
                    child["KeyPath"] is { Length: > 0 } key ? System.IO.Path.Combine(folder, key) : null,
                    child["Password"]);
            foreach (var file in In(child, folder)) yield return file;
        }
    }

    /// <summary>A digest of the files' content, or of the problem if a file cannot be read. It changes when the content does.</summary>
    public string Digest()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in (string?[])[Path, KeyPath])
        {
            if (file is null) continue;
            var content = FileContent.Read(file, out var problem);
            hash.AppendData(SHA256.HashData(content ?? Encoding.UTF8.GetBytes(problem)));
            CryptographicOperations.ZeroMemory(content);
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }

    /// <summary>Loads the certificate with its chain.</summary>
    /// <exception cref="CryptographicException">The files hold no certificate with its key, or cannot be read. No message contains their content.</exception>
    public SslStreamCertificateContext Load()
    {
        var certificate = Content(Path);
        X509Certificate2Collection chain = [];
        X509Certificate2? leaf;
        if (KeyPath is null)
        {
            chain = X509CertificateLoader.LoadPkcs12Collection(certificate, Password);
            leaf = chain.FirstOrDefault(each => each.HasPrivateKey);
        }
        else
        {
            var (certificates, key) = (ByteOrderMark.Text(certificate), ByteOrderMark.Text(Content(KeyPath)));
            try
            {
                leaf = Password is null
                    ? X509Certificate2.CreateFromPem(certificates, key)
                    : X509Certificate2.CreateFromEncryptedPem(certificates, key, Password);
            }
            catch (ArgumentException e)
            {
                throw new CryptographicException("The key is not the certificate's.", e);
            }

            chain.ImportFromPem(certificates);
        }

        return SslStreamCertificateContext.Create(leaf ?? throw new CryptographicException("There is no private key."), chain);
    }

    private static byte[] Content(string file) => FileContent.Read(file, out var problem) ?? throw new CryptographicException($"{file} {problem}");
}
