using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gateway.Telemetry;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Gateway.Configuration.Rules.Listeners;

/// <summary>
/// Checks that the listeners' certificates exist, can be opened, and match their keys. No finding shows any part of a key or a password.
/// </summary>
internal static class CertificateRules
{
    private const string Path = ":Path";
    private const string Subject = ":Subject";
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private static readonly TimeSpan s_notice = TimeSpan.FromDays(30);

    /// <summary>Checks every certificate of the section <c>Kestrel</c>.</summary>
    public static void Check(RuleContext context)
    {
        // Skip a reload: a running gateway reloads renewed files by itself, once both files are stable.
        if (context.Snapshot.Input.IsReload) return;
        foreach (var (key, value) in context.Snapshot.Values)
        {
            if (!key.StartsWith("Kestrel:", StringComparison.OrdinalIgnoreCase) || string.IsNullOrEmpty(value)) continue;
            if (key.EndsWith(Path, StringComparison.OrdinalIgnoreCase)) Check(context, key[..^Path.Length], value);
            else if (key.EndsWith(Subject, StringComparison.OrdinalIgnoreCase)) CheckStored(context, key[..^Subject.Length], value);
        }
    }

    private static void CheckStored(RuleContext context, string section, string subject)
    {
        var (store, location, allowInvalid) = (Value("Store"), Value("Location"), Value("AllowInvalid"));
        var name = string.IsNullOrEmpty(store) ? nameof(StoreName.My) : store;
        var place = StoreLocation.CurrentUser;
        if (!string.IsNullOrEmpty(Value("Path")))
            context.Error(section + Subject,
                "is given together with Path, and Kestrel would not start. Name the certificate by its file, or by its subject in a store.");
        else if (!string.IsNullOrEmpty(location) && !(Enum.TryParse(location, ignoreCase: true, out place) && Enum.IsDefined(place)))
            context.Error(
                $"{section}:Location", $"is {Finding.Quote(location)}, which is not a location of certificate stores. Write CurrentUser or LocalMachine.");
        else if (!string.IsNullOrEmpty(allowInvalid) && !bool.TryParse(allowInvalid, out _))
            context.Error($"{section}:AllowInvalid", $"is {Finding.Quote(allowInvalid)}. Write true or false.");
        else if (!IsStored(subject, name, place, allowInvalid))
            context.Error(section + Subject,
                $"is {Finding.Quote(subject)}, and the store {Finding.Quote(name)} of {place} "
                + "has no certificate of it that is valid, has its key and is for servers. "
                + "Import one, or name a file with Path and KeyPath.");

        string? Value(string name) => context.Snapshot.Values.GetValueOrDefault($"{section}:{name}");
    }

    // Uses the same lookup as Kestrel.
    private static bool IsStored(string subject, string store, StoreLocation location, string? allowInvalid)
    {
        try
        {
            CertificateLoader.LoadFromStoreCert(subject, store, location, bool.TryParse(allowInvalid, out var allowed) && allowed).Dispose();
            return true;
        }
        catch (Exception e) when (e is InvalidOperationException or CryptographicException or PlatformNotSupportedException)
        {
            return false;
        }
    }

    private static void Check(RuleContext context, string section, string path)
    {
        var (keyPath, password) = (
            context.Snapshot.Values.GetValueOrDefault($"{section}:KeyPath"), context.Snapshot.Values.GetValueOrDefault($"{section}:Password"));
        var content = Read(context, section + Path, path, "Name a file with a certificate: PEM with its key under KeyPath, or PKCS #12 (.pfx).");
        var key = string.IsNullOrEmpty(keyPath) ? [] : Read(context, $"{section}:KeyPath", keyPath, "Name the file that holds the certificate's key.");
        if (content is null || key is null) return;
        using var certificate = key.Length == 0 ? OfPkcs12(context, section, path, content, password) : OfPem(context, section, path, content, key, password);
        CryptographicOperations.ZeroMemory(key);
        CryptographicOperations.ZeroMemory(content);
        if (certificate is null) return;
        if (certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().FirstOrDefault() is { } usage
            && !usage.EnhancedKeyUsages.Cast<Oid>().Any(use => use.Value == ServerAuthentication))
            context.Error(section + Path,
                $"names the file {Finding.Quote(path)}, whose certificate is not for servers: "
                + $"its extended key usage lacks server authentication ({ServerAuthentication}). "
                + "Request one for servers.");
        else CheckDates(context, section, path, certificate);
    }

    private static byte[]? Read(RuleContext context, string key, string path, string advice)
    {
        var content = FileContent.Read(System.IO.Path.Combine(context.Snapshot.Folder, path), out var problem);
        if (content is null) context.Error(key, $"names the file {Finding.Quote(path)}, which {problem} {advice}");
        return content;
    }

    private static X509Certificate2? OfPkcs12(RuleContext context, string section, string path, byte[] content, string? password)
    {
        if (content.AsSpan().IndexOf("-----BEGIN"u8) >= 0)
        {
            context.Error(section + Path, $"names the file {Finding.Quote(path)}, which is PEM and needs its key. Name the key's file as KeyPath beside it.");
            return null;
        }

        try
        {
            var all = X509CertificateLoader.LoadPkcs12Collection(content, password);
            if (all.FirstOrDefault(each => each.HasPrivateKey) is { } certificate) return certificate;
            context.Error(section + Path, $"names the file {Finding.Quote(path)}, which holds no private key. Export the certificate together with its key.");
        }
        catch (CryptographicException)
        {
            context.Error(password is null ? section + Path : $"{section}:Password",
                password is null
                    ? $"names the file {Finding.Quote(path)}, which does not open without a password, or is no PKCS #12 file. "
                        + "Write the Password beside it, or name another file."
                    : $"does not open the file {Finding.Quote(path)}, or that is no PKCS #12 file. Write the password that the file was exported with.");
        }

        return null;
    }

    private static X509Certificate2? OfPem(RuleContext context, string section, string path, byte[] content, byte[] keyContent, string? password)
    {
        var (pem, key) = (ByteOrderMark.Text(content), ByteOrderMark.Text(keyContent));
        try
        {
            using var alone = X509Certificate2.CreateFromPem(pem);
        }
        catch (CryptographicException)
        {
            context.Error(section + Path,
                $"names the file {Finding.Quote(path)}, which holds no certificate in PEM. Name one that begins with -----BEGIN CERTIFICATE-----.");
            return null;
        }

        if (password is null && key.Contains("-----BEGIN ENCRYPTED PRIVATE KEY-----", StringComparison.Ordinal))
        {
            context.Error($"{section}:Password", "is required: the key of KeyPath is encrypted. Write its password, best as an environment variable.");
            return null;
        }

        try
        {
            return password is null ? X509Certificate2.CreateFromPem(pem, key) : X509Certificate2.CreateFromEncryptedPem(pem, key, password);
        }
        catch (ArgumentException)
        {
            context.Error($"{section}:KeyPath",
                $"names the key of another certificate than {Finding.Quote(path)} holds. Name the key that the certificate was issued for.");
        }
        catch (CryptographicException) when (password is not null)
        {
            context.Error($"{section}:Password",
                "does not open the key of KeyPath, or that is no encrypted key in PEM. Write the key's password, or remove it for a key without.");
        }
        catch (CryptographicException)
        {
            context.Error($"{section}:KeyPath",
                "names a file without a private key in PEM of the certificate's kind. Name one that begins with -----BEGIN PRIVATE KEY-----.");
        }

        return null;
    }

    // These findings are warnings, so that an expired certificate does not block other changes.
    private static void CheckDates(RuleContext context, string section, string path, X509Certificate2 certificate)
    {
        var now = TimeProvider.System.GetUtcNow();
        var (from, until) = (new DateTimeOffset(certificate.NotBefore), new DateTimeOffset(certificate.NotAfter));
        var certificateOf = $"names the file {Finding.Quote(path)}, whose certificate";
        const string Replace = "Replace the file; it is read again while the gateway runs.";
        if (from > now)
            context.Warning(section + Path,
                $"{certificateOf} is not valid before {UtcTime.Seconds(from)}: until then clients refuse it. Use another one until then.");
        else if (until < now)
            context.Warning(section + Path, $"{certificateOf} expired on {UtcTime.Seconds(until)}: clients refuse it. {Replace}");
        else if (until - now < s_notice)
            context.Warning(section + Path, $"{certificateOf} expires on {UtcTime.Seconds(until)}. {Replace}");
    }
}
