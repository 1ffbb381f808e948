using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace CredentialModule.Vending;

/// <summary>
/// A role session's name for an organization. STS AssumeRole, RoleSessionName: 2 to 64 characters of <c>[\w+=,.@-]</c>.
/// Different ids have different names: no id holds <c>=</c>, so what is padded or cut cannot be an id of its own.
/// </summary>
internal static class SessionName
{
    private const int Longest = 64;
    private const int Shortest = 2;

    public static string For(OrganizationId organization)
    {
        var id = organization.Value;
        if (id.Length < Shortest) return id + "=";
        if (id.Length <= Longest) return id;

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(id), hash);
        var mark = Base64Url.EncodeToString(hash[..16]);
        return $"{id.AsSpan(0, Longest - mark.Length - 1)}={mark}";
    }
}
