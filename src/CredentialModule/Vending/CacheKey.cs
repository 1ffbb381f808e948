using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using IotCredentials.Aws;

namespace IotCredentials.Vending;

/// <summary>
/// The key of an entry: a hash over length-prefixed fields, so that no two sets of fields have the same input. Hashes of the organization and of the generation
/// precede it, so that entries vended before an invalidation can be found and deleted.
/// </summary>
internal static class CacheKey
{
    // Raise it whenever the format or meaning of stored entries changes.
    private const string FormatVersion = "1";
    private const int TagLength = 16;

    public static string Of(AssumeRoleParameters request)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add(hash, "credentials");
        Add(hash, FormatVersion);
        Add(hash, request.Environment);
        Add(hash, request.OrganizationId);
        Add(hash, request.Generation);
        Add(hash, request.RoleArn);
        Add(hash, request.Region);
        Add(hash, request.SessionPolicy);
        Add(hash, request.SessionTags.Count.ToString(System.Globalization.CultureInfo.InvariantCulture));
        foreach (var (name, value) in request.SessionTags)
        {
            Add(hash, name);
            Add(hash, value);
        }

        Add(hash, request.ExternalId);
        Add(hash, request.SessionDuration.Ticks.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Add(hash, request.SessionName);
        Add(hash, request.SourceIdentity);
        Add(hash, request.GatewayIdentity);
        Add(hash, request.StsAddress);
        return $"{OrganizationTag(request.OrganizationId)}-{GenerationTag(request.Generation)}-{Convert.ToHexStringLower(hash.GetHashAndReset())}";
    }

    /// <summary>The beginning of all keys of an organization.</summary>
    public static string OrganizationTag(string organization) => Tag(organization);

    /// <summary>The part after it, up to the next hyphen, in the keys of a generation.</summary>
    public static string GenerationTag(string? generation) => generation is null ? "0" : Tag(generation);

    private static string Tag(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..TagLength];

    public static string OfEndpoint(string environment, string askedAs, string region, string iotAddress, string stsAddress)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var field in (string?[])["endpoint", FormatVersion, environment, askedAs, region, iotAddress, stsAddress]) Add(hash, field);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public static string OfDirectory(string address, string organization, string? generation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var field in (string?[])["directory", FormatVersion, address, organization, generation]) Add(hash, field);
        return $"{OrganizationTag(organization)}-{GenerationTag(generation)}-{Convert.ToHexStringLower(hash.GetHashAndReset())}";
    }

    private static void Add(IncrementalHash hash, string? field)
    {
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, field is null ? -1 : Encoding.UTF8.GetByteCount(field));
        hash.AppendData(length);
        if (field is not null) hash.AppendData(Encoding.UTF8.GetBytes(field));
    }
}
