namespace CredentialModule;

/// <summary>How credentials are vended: the role, its session, and the promise to callers. Every member is a configuration key.</summary>
public sealed record ProfileOptions
{
    /// <summary>The role that is assumed. Required. May hold <c>{organizationId}</c>.</summary>
    public string? RoleArn { get; init; }

    /// <summary>The region whose AWS IoT endpoint is handed out, and whose STS is asked. Required.</summary>
    public string? Region { get; init; }

    /// <summary>The AWS IoT data endpoint, a host name. Default: asked of AWS IoT (<c>iot:Data-ATS</c>).</summary>
    public string? IotEndpoint { get; init; }

    /// <summary>The role that AWS IoT is asked with, when the endpoint is another account's than the gateway's own. Default: none.</summary>
    public string? EndpointRoleArn { get; init; }

    /// <summary>How long a session lives: 15 minutes to 12 hours (STS AssumeRole: DurationSeconds). Default: 1 hour.</summary>
    public TimeSpan SessionDuration { get; init; } = TimeSpan.FromHours(1);

    /// <summary>What is left of the life of any credentials that a caller gets, at the least. Default: 15 minutes.</summary>
    public TimeSpan MinimumLifetime { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>The age from which on credentials are renewed behind the callers. Default: 30 minutes.</summary>
    public TimeSpan RefreshAfter { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>The session-policy template's file, relative to the configuration folder. Required.</summary>
    public string? SessionPolicy { get; init; }

    /// <summary>
    /// Resources of type <c>topic</c> or <c>topicfilter</c> that the session policy may let every organization receive and subscribe to, and none
    /// publish to. Default: none.
    /// </summary>
    public IReadOnlyList<string> SharedTopics { get; init; } = [];

    /// <summary>Session tags; a value may hold <c>{organizationId}</c>. Default: none.</summary>
    public IDictionary<string, string> SessionTags { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The external id; may hold <c>{organizationId}</c>. Default: none.</summary>
    public string? ExternalId { get; init; }

    /// <summary>Who shares a session. Default: the organization.</summary>
    public SessionScope Scope { get; init; } = SessionScope.Organization;
}

/// <summary>Who shares a session.</summary>
public enum SessionScope
{
    /// <summary>All callers of an organization share one session.</summary>
    Organization,

    /// <summary>Every caller has a session of its own, named after it.</summary>
    User,
}
