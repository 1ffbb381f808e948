using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using IotCredentials.Profiles;

namespace IotCredentials.Aws;

/// <summary>
/// The name of a role session: readable if it fits, and different for different inputs. STS AssumeRole allows 2 to 64 characters of <c>[\w+=,.@-]</c> in
/// RoleSessionName and SourceIdentity. The name has <c>=</c> only if it was padded or cut, <c>,</c> only between a caller's two parts and <c>+</c> only before
/// an escaped byte, so that no name can be read as another one's.
/// </summary>
internal static class SessionName
{
    private const string Https = "https://";

    public static string For(OrganizationId organization) => Fit(organization.Value);

    /// <summary>The name of a caller's session: its subject, then its issuer without <c>https://</c>.</summary>
    public static string For(string issuer, string subject)
    {
        var name = issuer.StartsWith(Https, StringComparison.Ordinal)
            ? $"{Escape(subject)},{Escape(issuer[Https.Length..])}"
            : $"{Escape(subject)},,{Escape(issuer)}";
        return Fit(name);
    }

    private static string Fit(string name)
    {
        if (name.Length < StsLimits.ShortestName) return name + "=";
        if (name.Length <= StsLimits.LongestName) return name;

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(name), hash);
        var mark = Base64Url.EncodeToString(hash[..16]);
        return $"{name.AsSpan(0, StsLimits.LongestName - mark.Length - 1)}={mark}";
    }

    private static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (var value in Encoding.UTF8.GetBytes(text))
        {
            if (char.IsAsciiLetterOrDigit((char)value) || value is (byte)'_' or (byte)'-' or (byte)'.' or (byte)'@') escaped.Append((char)value);
            else escaped.Append(CultureInfo.InvariantCulture, $"+{value:X2}");
        }

        return escaped.ToString();
    }
}
