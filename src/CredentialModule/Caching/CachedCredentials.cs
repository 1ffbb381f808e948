using System.Text.Json;
using System.Text.Json.Serialization;

namespace IotCredentials.Caching;

/// <summary>
/// Cached credentials: the session that STS granted, its organization, and the time of the call. Not a record: its generated ToString would print the secrets.
/// They are kept only as the UTF-8 bytes of the response, half the size of strings and ready to send.
/// </summary>
[method: JsonConstructor]
internal sealed class CachedCredentials(
    string organizationId, DateTimeOffset issuedAt, DateTimeOffset expiration, string accessKeyId, string secretAccessKey, string sessionToken)
{
    private readonly byte[] _response = CredentialResponse.CredentialsOf(Present(accessKeyId), Present(secretAccessKey), Present(sessionToken), expiration);

    public string OrganizationId { get; } = organizationId;

    /// <summary>The time before the call to STS, so that the credentials are never older than it implies.</summary>
    public DateTimeOffset IssuedAt { get; } = issuedAt;

    public DateTimeOffset Expiration { get; } = expiration;
    public string AccessKeyId { get; } = accessKeyId;
    public string SecretAccessKey => Read("secretAccessKey");
    public string SessionToken => Read("sessionToken");

    /// <summary>The credentials' part of a response.</summary>
    [JsonIgnore]
    public ReadOnlySpan<byte> Response => _response;

    // System.Text.Json does not require constructor parameters to be in the JSON.
    private static string Present(string? member) => member ?? throw new JsonException("Credentials without one of their parts.");

    private string Read(string name)
    {
        using var response = JsonDocument.Parse(_response);
        return response.RootElement.GetProperty(name).GetString()!;
    }
}

/// <summary>A cached AWS IoT data endpoint.</summary>
internal sealed class CachedIotDataEndpoint
{
    private byte[]? _response;

    public required string Region { get; init; }
    public required DateTimeOffset AskedAt { get; init; }
    public required string Address { get; init; }

    /// <summary>The beginning of a response.</summary>
    [JsonIgnore]
    public ReadOnlySpan<byte> Response => _response ??= CredentialResponse.OpeningOf(Region, Address);
}
