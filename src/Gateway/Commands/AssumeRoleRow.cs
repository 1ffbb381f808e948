using CredentialModule;
using CredentialModule.Aws;
using CredentialModule.Caching;
using CredentialModule.Policies;
using CredentialModule.Profiles;
using CredentialModule.Vending;
using Gateway.Configuration;

namespace Gateway.Commands;

/// <summary>The AssumeRole that a module route would send, and where it would look for its answer first.</summary>
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

    /// <summary>Who the gateway is to AWS, which is part of the key; absent when only AWS can tell.</summary>
    public string? Identity { get; init; }

    /// <summary>The entry's key in Redis, unless the organization was forgotten; absent when the identity is.</summary>
    public string? RedisKey { get; init; }

    /// <summary>The key with the identity left empty: not the real one.</summary>
    public string? RedisKeyWithoutIdentity { get; init; }

    /// <summary>The request; null when sessions are a caller's own and no token says who that is.</summary>
    public static AssumeRoleRow? Of(Profile profile, OrganizationId organization, VendCaller caller, Snapshot configuration, ProgramEnvironment environment, IServiceProvider services)
    {
        var identity = AwsIdentity.Of(environment.Variables);
        var (sts, now) = (services.GetRequiredService<AwsClients>().StsAddress(profile.Region), services.GetRequiredService<TimeProvider>().GetUtcNow());
        if (VendRequests.Make(profile, organization, caller, environment.Name, forgotten: null, identity ?? "", sts, now) is not { } request)
            return null;

        // Without Redis nothing is sealed, and the key is that of this process's memory.
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
