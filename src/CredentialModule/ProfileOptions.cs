namespace IotCredentials;

/// <summary>Defines how credentials are vended: the role, its session, and the lifetime requirement. Every member is a configuration key.</summary>
public sealed record ProfileOptions
{
    /// <summary>The role that is assumed. Required. May hold <c>{organizationId}</c>.</summary>
    public string? RoleArn { get; init; }

    /// <summary>The region of the AWS IoT endpoint that is returned, and of the STS that is called. Required.</summary>
    public string? Region { get; init; }

    /// <summary>The AWS IoT data endpoint, a host name. Default: requested from AWS IoT (<c>iot:Data-ATS</c>).</summary>
    public string? IotEndpoint { get; init; }

    /// <summary>The role that requests the endpoint from AWS IoT, if the endpoint belongs to another account than the gateway's. Default: none.</summary>
    public string? EndpointRoleArn { get; init; }

    /// <summary>The duration of a session: 15 minutes to 12 hours (STS AssumeRole: DurationSeconds). Default: 1 hour.</summary>
    public TimeSpan SessionDuration { get; init; } = TimeSpan.FromHours(1);

    /// <summary>The minimum remaining lifetime of any credentials that a caller gets. Default: 15 minutes.</summary>
    public TimeSpan MinimumLifetime { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>The age from which credentials are renewed in the background. Default: 30 minutes.</summary>
    public TimeSpan RefreshAfter { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>The session-policy template's file, relative to the configuration folder. Required.</summary>
    public string? SessionPolicy { get; init; }

    /// <summary>
    /// Resources of type <c>topic</c> or <c>topicfilter</c> that the session policy may let every organization receive and subscribe to, and no organization
    /// publish to. Default: none.
    /// </summary>
    public IReadOnlyList<string> SharedTopics { get; init; } = [];

    /// <summary>Session tags; a value may hold <c>{organizationId}</c>. Default: none.</summary>
    public IDictionary<string, string> SessionTags { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The external id; may hold <c>{organizationId}</c>. Default: none.</summary>
    public string? ExternalId { get; init; }

    /// <summary>The callers that share a session. Default: those of an organization.</summary>
    public SessionScope Scope { get; init; } = SessionScope.Organization;
}

/// <summary>The callers that share a session.</summary>
public enum SessionScope
{
    /// <summary>All callers of an organization share one session.</summary>
    Organization,

    /// <summary>Every caller has a session of its own, named after it.</summary>
    User,
}
