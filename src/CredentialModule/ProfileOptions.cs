using System.Runtime.CompilerServices;

namespace IotCredentials;

/// <summary>
/// Defines how credentials are vended: the role, its session, and the lifetime requirement. Every member is a configuration key. For an organization, a member
/// that is not set is the profile's; a text that is set to null takes the profile's away.
/// </summary>
public sealed class ProfileOptions
{
    internal static readonly TimeSpan DefaultSessionDuration = TimeSpan.FromHours(1);
    internal static readonly TimeSpan DefaultMinimumLifetime = TimeSpan.FromMinutes(15);
    internal static readonly TimeSpan DefaultRefreshAfter = TimeSpan.FromMinutes(30);

    // The texts that were set, to null or another value.
    private readonly HashSet<string> _given = new(StringComparer.Ordinal);

    /// <summary>
    /// The role that is assumed. Required. May hold <c>{organizationId}</c>, and with IotCredentials:Directory <c>{accountId}</c> and <c>{partition}</c>.
    /// </summary>
    public string? RoleArn { get; set => field = Given(value); }

    /// <summary>
    /// The region of the AWS IoT endpoint that is returned, and of the STS that is called. Required, unless IotCredentials:Directory is set, which decides the
    /// region of each organization whose own entry has none.
    /// </summary>
    public string? Region { get; set => field = Given(value); }

    /// <summary>The AWS IoT data endpoint, a host name. Default: requested from AWS IoT (<c>iot:Data-ATS</c>).</summary>
    public string? IotEndpoint { get; set => field = Given(value); }

    /// <summary>
    /// The role that requests the endpoint from AWS IoT, if the endpoint belongs to another account than the gateway's. With IotCredentials:Directory it may
    /// hold <c>{accountId}</c> and <c>{partition}</c>. Default: none.
    /// </summary>
    public string? EndpointRoleArn { get; set => field = Given(value); }

    /// <summary>The duration of a session: 15 minutes to 12 hours (STS AssumeRole: DurationSeconds). Default: 1 hour.</summary>
    public TimeSpan? SessionDuration { get; set; }

    /// <summary>The minimum remaining lifetime of any credentials that a caller gets. Default: 15 minutes.</summary>
    public TimeSpan? MinimumLifetime { get; set; }

    /// <summary>The age from which credentials are renewed in the background. Default: 30 minutes.</summary>
    public TimeSpan? RefreshAfter { get; set; }

    /// <summary>The session-policy template's file, relative to the configuration folder. Required.</summary>
    public string? SessionPolicy { get; set => field = Given(value); }

    /// <summary>
    /// Resources of type <c>topic</c> or <c>topicfilter</c> that the session policy may let every organization receive and subscribe to, and no organization
    /// publish to. An organization's list replaces the profile's. Default: none.
    /// </summary>
    public IReadOnlyList<string>? SharedTopics { get; set; }

    /// <summary>
    /// Session tags; a value may hold <c>{organizationId}</c>, and with IotCredentials:Directory <c>{accountId}</c>, <c>{region}</c> and <c>{partition}</c>.
    /// An organization's tags are added to the profile's. Default: none.
    /// </summary>
    public IDictionary<string, string> SessionTags { get; set; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The external id; may hold <c>{organizationId}</c>. Default: none.</summary>
    public string? ExternalId { get; set => field = Given(value); }

    /// <summary>The callers that share a session. Default: those of an organization.</summary>
    public SessionScope? Scope { get; set; }

    /// <summary>Whether a text was set, to null or another value.</summary>
    internal bool Sets(string key) => _given.Contains(key);

    /// <summary>The profile with an organization's overrides.</summary>
    internal ProfileOptions With(ProfileOptions overrides) => new()
    {
        RoleArn = overrides.Sets(nameof(RoleArn)) ? overrides.RoleArn : RoleArn,
        Region = overrides.Sets(nameof(Region)) ? overrides.Region : Region,
        IotEndpoint = overrides.Sets(nameof(IotEndpoint)) ? overrides.IotEndpoint : IotEndpoint,
        EndpointRoleArn = overrides.Sets(nameof(EndpointRoleArn)) ? overrides.EndpointRoleArn : EndpointRoleArn,
        SessionDuration = overrides.SessionDuration ?? SessionDuration,
        MinimumLifetime = overrides.MinimumLifetime ?? MinimumLifetime,
        RefreshAfter = overrides.RefreshAfter ?? RefreshAfter,
        SessionPolicy = overrides.Sets(nameof(SessionPolicy)) ? overrides.SessionPolicy : SessionPolicy,
        SharedTopics = overrides.SharedTopics ?? SharedTopics,
        SessionTags = Merge(SessionTags, overrides.SessionTags),
        ExternalId = overrides.Sets(nameof(ExternalId)) ? overrides.ExternalId : ExternalId,
        Scope = overrides.Scope ?? Scope,
    };

    // A configuration file can set null.
    private static Dictionary<string, string> Merge(IDictionary<string, string>? lower, IDictionary<string, string>? upper)
    {
        var merged = new Dictionary<string, string>(lower ?? new Dictionary<string, string>(), StringComparer.Ordinal);
        foreach (var (key, value) in upper ?? new Dictionary<string, string>()) merged[key] = value;
        return merged;
    }

    private string? Given(string? value, [CallerMemberName] string name = "")
    {
        _given.Add(name);
        return value;
    }
}

/// <summary>The callers that share a session.</summary>
public enum SessionScope
{
    /// <summary>All callers of an organization share one session.</summary>
    Organization,

    /// <summary>Every caller has a session of its own, named after it.</summary>
    User,
}
