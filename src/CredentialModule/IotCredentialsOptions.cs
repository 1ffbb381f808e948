namespace IotCredentials;

/// <summary>The section <c>IotCredentials</c>: the module's profiles, organizations and limits.</summary>
public record IotCredentialsOptions
{
    internal static readonly TimeSpan LongestTimeout = TimeSpan.FromMinutes(1);

    /// <summary>The form of an organization id.</summary>
    public OrganizationIdOptions OrganizationId { get; set; } = new();

    /// <summary>The longest that a caller waits for a response of the module. Default: 5 seconds.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(5);

    // Shared work times out before its callers do, so that they see its real outcome and the failure can be cached. Both use the monotonic clock: a network
    // does not follow a clock that is set.
    internal TimeSpan WorkTimeout => Timeout * 0.9;

    // One call to STS, its retries included. It times out before the shared work, so that the work's waiters see the outcome of the call.
    internal TimeSpan CallTimeout => Timeout * 0.75;

    /// <summary>The cache of vended credentials and endpoints.</summary>
    public CacheOptions Cache { get; set; } = new();

    /// <summary>The limits of this process's calls to STS.</summary>
    public StsOptions Sts { get; set; } = new();

    /// <summary>The service that says in which AWS account and region each organization lives. Default: none; profiles and organizations say it.</summary>
    public DirectoryOptions? Directory { get; set; }

    /// <summary>Profiles by name. A route names the profile that it vends with.</summary>
    public IDictionary<string, ProfileOptions> Profiles { get; set; } = new Dictionary<string, ProfileOptions>(StringComparer.Ordinal);

    /// <summary>Overrides for single organizations: any key of a profile, by organization id. They take precedence over directory and profile.</summary>
    public IDictionary<string, ProfileOptions> Organizations { get; set; } = new Dictionary<string, ProfileOptions>(StringComparer.Ordinal);
}

/// <summary>The form of an organization id: <see cref="Prefix"/>, then <see cref="Length"/> of <see cref="Characters"/>. Compared by ordinal.</summary>
public sealed record OrganizationIdOptions
{
    /// <summary>The prefix of every id, of <c>A-Z a-z 0-9 - _</c>. Default: nothing.</summary>
    public string Prefix { get; set; } = "";

    /// <summary>The characters of an id after its prefix, as single characters and ranges of <c>A-Z a-z 0-9 - _</c>. Default: <c>A-Za-z0-9_-</c>.</summary>
    public string Characters { get; set; } = "A-Za-z0-9_-";

    /// <summary>The number of characters after the prefix. Default: 1 to 64.</summary>
    public OrganizationIdLengthOptions Length { get; set; } = new();
}

/// <summary>The number of characters of an organization id after its prefix. Ids of one length need no closing character in a session policy.</summary>
public sealed record OrganizationIdLengthOptions
{
    /// <summary>The minimum, 1 to <see cref="Max"/>. Default: 1.</summary>
    public int Min { get; set; } = 1;

    /// <summary>The maximum, <see cref="Min"/> to 64. AWS's limits on texts are checked for this length. Default: 64.</summary>
    public int Max { get; set; } = 64;
}

/// <summary>The cache of vended credentials and endpoints.</summary>
public sealed record CacheOptions
{
    /// <summary>The prefix of every key in Redis. Default: <c>iotcredentials:</c>.</summary>
    public string KeyPrefix { get; set; } = "iotcredentials:";

    /// <summary>The maximum number of entries that one process keeps in memory. Default: 100,000.</summary>
    public int MaxEntries { get; set; } = 100_000;
}

/// <summary>The limits of this process's calls to STS.</summary>
public sealed record StsOptions
{
    /// <summary>The maximum number of AssumeRole calls per second. Default: 100.</summary>
    public int PermitsPerSecond { get; set; } = 100;

    /// <summary>The maximum number of concurrent AssumeRole calls. Default: 50.</summary>
    public int MaxConcurrent { get; set; } = 50;
}
