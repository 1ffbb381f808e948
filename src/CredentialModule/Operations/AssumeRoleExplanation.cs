using System.Security.Claims;
using IotCredentials.Aws;
using IotCredentials.Caching;
using IotCredentials.Policies;
using IotCredentials.Profiles;
using IotCredentials.Vending;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace IotCredentials.Operations;

/// <summary>The AssumeRole request that vending would send, and the cache key of its response. It contains no secret.</summary>
public sealed record AssumeRoleExplanation
{
    /// <summary>The ARN of the role.</summary>
    public required string Role { get; init; }

    /// <summary>The region of STS.</summary>
    public required string Region { get; init; }

    /// <summary>The session's name.</summary>
    public required string SessionName { get; init; }

    /// <summary>The session's duration, in seconds.</summary>
    public required int DurationSeconds { get; init; }

    /// <summary>The session tags.</summary>
    public required IReadOnlyDictionary<string, string> Tags { get; init; }

    /// <summary>The external id; null if there is none.</summary>
    public string? ExternalId { get; init; }

    /// <summary>The source identity; null if sessions are an organization's.</summary>
    public string? SourceIdentity { get; init; }

    /// <summary>The rendered session policy.</summary>
    public required string Policy { get; init; }

    /// <summary>The number of characters of <see cref="Policy"/>.</summary>
    public required int PolicyLength { get; init; }

    /// <summary>STS AssumeRole: Policy, 2,048 characters.</summary>
    public int PolicyLimit { get; } = SessionPolicyTemplate.LongestPolicy;

    /// <summary>The host's own AWS identity, which is part of the key. Null if it can only be found by calling AWS.</summary>
    public string? Identity { get; init; }

    /// <summary>The entry's key in Redis, unless the organization was invalidated. Null if the identity is null.</summary>
    public string? RedisKey { get; init; }

    /// <summary>
    /// What the directory of organizations decides and is not known here: the placeholders that stand in the other members. Null if it decides nothing. Then
    /// there is no key.
    /// </summary>
    public IReadOnlyList<string>? DecidedByDirectory { get; init; }

    /// <summary>The key with an empty identity. It is not the real key.</summary>
    public string? RedisKeyWithoutIdentity { get; init; }
}

/// <summary>Explains which AssumeRole request vending would send. It calls nothing.</summary>
public sealed class AssumeRoleExplainer
{
    private readonly AwsClients _clients;
    private readonly CredentialCache _cache;
    private readonly IOptions<IotCredentialsOptions> _options;
    private readonly IOptions<AwsClientOptions> _aws;
    private readonly IHostEnvironment _host;
    private readonly TimeProvider _time;

    internal AssumeRoleExplainer(
        AwsClients clients, CredentialCache cache, IOptions<IotCredentialsOptions> options, IOptions<AwsClientOptions> aws, IHostEnvironment host,
        TimeProvider time) =>
        (_clients, _cache, _options, _aws, _host, _time) = (clients, cache, options, aws, host, time);

    /// <summary>Explains the request for an organization.</summary>
    /// <param name="profiles">The profiles.</param>
    /// <param name="profile">The name of one of them.</param>
    /// <param name="organization">The organization.</param>
    /// <param name="caller">The caller; null if it is not known.</param>
    /// <param name="variables">The environment variables that may determine the host's own identity.</param>
    /// <returns>The request; null if the profile's sessions belong to a caller, and its claims do not identify one.</returns>
    /// <exception cref="ArgumentException">There is no profile of that name.</exception>
    public AssumeRoleExplanation? Explain(
        ProfileSet profiles, string profile, OrganizationId organization, ClaimsPrincipal? caller, IReadOnlyDictionary<string, string?> variables)
    {
        var template = profiles.Find(profile, organization) ?? throw new ArgumentException($"There is no profile {profile}.", nameof(profile));
        var effective = template.Shown();
        var identity = EnvironmentIdentity.Of(_aws.Value, variables);
        var request = VendContextFactory.CreateParameters(
            effective, organization, caller is null ? new(null, null, null) : CallerClaims.Of(caller), _host.EnvironmentName, generation: null, identity ?? "",
            template.Located is null ? "" : _clients.StsAddress(effective.Region), _time.GetUtcNow());
        if (request is null) return null;

        // Without Redis nothing is sealed, and the key is the one of the in-process cache.
        var key = _cache.Sealer is not { } sealer ? CacheKey.Of(request)
            : CredentialCache.RedisKeyOf(_options.Value.Cache.KeyPrefix, CacheKey.Of(request), sealer.KeyIds[0]);
        return new()
        {
            Role = request.RoleArn,
            Region = request.Region,
            SessionName = request.SessionName,
            DurationSeconds = (int)request.SessionDuration.TotalSeconds,
            Tags = new Dictionary<string, string>(request.SessionTags),
            ExternalId = request.ExternalId,
            SourceIdentity = request.SourceIdentity,
            Policy = request.SessionPolicy,
            PolicyLength = request.SessionPolicy.Length,
            Identity = identity,
            RedisKey = identity is null || template.Located is null ? null : key,
            RedisKeyWithoutIdentity = identity is null && template.Located is not null ? key : null,
            DecidedByDirectory = template.Located is null ? template.Open : null,
        };
    }
}
