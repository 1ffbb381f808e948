using IotCredentials;
using IotCredentials.Aws;
using IotCredentials.Caching;
using IotCredentials.Policies;
using IotCredentials.Profiles;
using IotCredentials.Vending;
using Gateway.Configuration.Snapshots;

namespace Gateway.Commands;

/// <summary>The AssumeRole request of a module route, and the cache key of its response.</summary>
internal sealed record AssumeRoleRow
{
    public required string Role { get; init; }
    public required string Region { get; init; }
    public required string SessionName { get; init; }
    public required int DurationSeconds { get; init; }
    public required IReadOnlyDictionary<string, string> Tags { get; init; }
    public string? ExternalId { get; init; }
    public string? SourceIdentity { get; init; }
    public required string Policy { get; init; }
    public required int PolicyLength { get; init; }

    /// <summary>STS AssumeRole: Policy, 2,048 characters.</summary>
    public int PolicyLimit { get; } = SessionPolicyTemplate.LongestPolicy;

    /// <summary>The gateway's own AWS identity, which is part of the key. Absent when it can only be found by calling AWS.</summary>
    public string? Identity { get; init; }

    /// <summary>The entry's key in Redis, unless the organization was invalidated. Absent when the identity is absent.</summary>
    public string? RedisKey { get; init; }

    /// <summary>The key with an empty identity. It is not the real key.</summary>
    public string? RedisKeyWithoutIdentity { get; init; }

    /// <summary>Returns the request, or null when the profile's sessions belong to a caller and no token identifies one.</summary>
    public static AssumeRoleRow? Of(Profile profile, OrganizationId organization, VendCaller caller, Snapshot configuration, ProgramEnvironment environment, IServiceProvider services)
    {
        var identity = AwsIdentity.Of(environment.Variables);
        var (sts, now) = (services.GetRequiredService<AwsClients>().StsAddress(profile.Region), services.GetRequiredService<TimeProvider>().GetUtcNow());
        if (VendContextFactory.Make(profile, organization, caller, environment.Name, generation: null, identity ?? "", sts, now) is not { } request)
            return null;

        // Without Redis nothing is sealed, and the key is the one of the in-process cache.
        var sealer = services.GetRequiredService<CredentialCache>().Sealer;
        var key = sealer is null ? CacheKey.Of(request)
            : CredentialCache.RedisKeyOf(configuration.Options.IotCredentials.Cache.KeyPrefix, CacheKey.Of(request), sealer.KeyIds[0]);
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
            RedisKey = identity is null ? null : key,
            RedisKeyWithoutIdentity = identity is null ? key : null,
        };
    }
}
