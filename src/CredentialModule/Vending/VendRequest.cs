using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace CredentialModule.Vending;

/// <summary>Everything that decides what STS is asked for, and so everything that the cache key is made of.</summary>
internal sealed record VendRequest
{
    public required string Environment { get; init; }
    public required string OrganizationId { get; init; }

    /// <summary>The mark under which the organization's credentials were last forgotten.</summary>
    public required string? Forgotten { get; init; }

    public required string RoleArn { get; init; }
    public required string Region { get; init; }
    public required string SessionPolicy { get; init; }
    public required IReadOnlyList<KeyValuePair<string, string>> SessionTags { get; init; }
    public required string? ExternalId { get; init; }
    public required TimeSpan SessionDuration { get; init; }
    public required string SessionName { get; init; }
    public required string? SourceIdentity { get; init; }
    public required string GatewayIdentity { get; init; }
    public required string StsAddress { get; init; }
}

/// <summary>
/// The key of an entry: a hash over length-prefixed fields, so that no two sets of fields are ever read alike. Before it stand the organization and the
/// mark, hashed, so that what was vended before an invalidation can be found and deleted.
/// </summary>
internal static class CacheKey
{
    // Raised whenever what is stored under a key changes its form or meaning.
    private const string FormatVersion = "1";
    private const int TagLength = 16;

    public static string Of(VendRequest request)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add(hash, "credentials");
        Add(hash, FormatVersion);
        Add(hash, request.Environment);
        Add(hash, request.OrganizationId);
        Add(hash, request.Forgotten);
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
        return $"{OrganizationTag(request.OrganizationId)}-{MarkTag(request.Forgotten)}-{Convert.ToHexStringLower(hash.GetHashAndReset())}";
    }

    /// <summary>What the keys of an organization begin with.</summary>
    public static string OrganizationTag(string organization) => Tag(organization);

    /// <summary>What follows, up to the next hyphen, in those that were vended under a mark.</summary>
    public static string MarkTag(string? mark) => mark is null ? "0" : Tag(mark);

    private static string Tag(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..TagLength];

    public static string OfEndpoint(string environment, string askedAs, string region, string iotAddress, string stsAddress)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var field in (string?[])["endpoint", FormatVersion, environment, askedAs, region, iotAddress, stsAddress]) Add(hash, field);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void Add(IncrementalHash hash, string? field)
    {
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, field is null ? -1 : Encoding.UTF8.GetByteCount(field));
        hash.AppendData(length);
        if (field is not null) hash.AppendData(Encoding.UTF8.GetBytes(field));
    }
}
