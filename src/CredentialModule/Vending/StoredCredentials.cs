using System.Text.Json;
using System.Text.Json.Serialization;

namespace CredentialModule.Vending;

/// <summary>
/// Credentials as they are kept: what STS granted, for whom, and when it was asked. A class, so that no ToString spells out its members. Its
/// secrets are kept as callers are answered, and nowhere else: that takes half of what their text would, and leaves an answer nothing to do.
/// </summary>
[method: JsonConstructor]
internal sealed class StoredCredentials(
    string organizationId, DateTimeOffset issuedAt, DateTimeOffset expiration, string accessKeyId, string secretAccessKey, string sessionToken)
{
    private readonly byte[] _answer = CredentialAnswer.CredentialsOf(Present(accessKeyId), Present(secretAccessKey), Present(sessionToken), expiration);

    public string OrganizationId { get; } = organizationId;

    /// <summary>Taken before STS was asked: credentials are never younger than this says.</summary>
    public DateTimeOffset IssuedAt { get; } = issuedAt;

    public DateTimeOffset Expiration { get; } = expiration;
    public string AccessKeyId { get; } = accessKeyId;
    public string SecretAccessKey => Read("secretAccessKey");
    public string SessionToken => Read("sessionToken");

    /// <summary>Their part of an answer.</summary>
    [JsonIgnore]
    public ReadOnlySpan<byte> Answer => _answer;

    // A constructor's parameter is never required of JSON.
    private static string Present(string? member) => member ?? throw new JsonException("Credentials without one of their parts.");

    private string Read(string name)
    {
        using var answer = JsonDocument.Parse(_answer);
        return answer.RootElement.GetProperty(name).GetString()!;
    }
}

/// <summary>An AWS IoT data endpoint as it is kept.</summary>
internal sealed class StoredEndpoint
{
    private byte[]? _answer;

    public required string Region { get; init; }
    public required DateTimeOffset AskedAt { get; init; }
    public required string Address { get; init; }

    /// <summary>What an answer begins with.</summary>
    [JsonIgnore]
    public ReadOnlySpan<byte> Answer => _answer ??= CredentialAnswer.OpeningOf(Region, Address);
}
