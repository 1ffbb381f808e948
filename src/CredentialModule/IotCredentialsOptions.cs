namespace CredentialModule;

/// <summary>The section <c>IotCredentials</c>: what the module vends, for whom, and within which bounds.</summary>
public sealed record IotCredentialsOptions
{
    /// <summary>What an organization id may look like.</summary>
    public OrganizationIdOptions OrganizationId { get; init; } = new();

    /// <summary>The longest a caller waits for an answer of the module. Default: 5 seconds.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    // What callers wait for ends a little earlier than their patience, so that they learn its outcome and others find it remembered. Both are
    // counted by the system's clock: a network does not follow a clock that is set.
    internal TimeSpan WorkTimeout => Timeout * 0.9;

    // One call to STS, its retries included; a little earlier again, so that who waits for the work learns what became of the call.
    internal TimeSpan CallTimeout => Timeout * 0.75;

    /// <summary>The cache that vended credentials and endpoints are kept in.</summary>
    public CacheOptions Cache { get; init; } = new();

    /// <summary>What this process may ask of STS.</summary>
    public StsOptions Sts { get; init; } = new();

    /// <summary>Profiles by name; a route names the one it vends by.</summary>
    public IDictionary<string, ProfileOptions> Profiles { get; init; } = new Dictionary<string, ProfileOptions>(StringComparer.Ordinal);

    /// <summary>What differs for single organizations: any key of a profile, by organization id. Wins over the profile.</summary>
    public IDictionary<string, ProfileOptions> Organizations { get; init; } = new Dictionary<string, ProfileOptions>(StringComparer.Ordinal);
}

/// <summary>The form of an organization id: <see cref="Prefix"/>, then <see cref="Length"/> of <see cref="Characters"/>. Compared by ordinal.</summary>
public sealed record OrganizationIdOptions
{
    /// <summary>What every id begins with, of <c>A-Z a-z 0-9 - _</c>. Default: nothing.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>The characters of an id after its prefix, as single characters and ranges of <c>A-Z a-z 0-9 - _</c>. Default: <c>A-Za-z0-9_-</c>.</summary>
    public string Characters { get; init; } = "A-Za-z0-9_-";

    /// <summary>How many characters follow the prefix. Default: 1 to 64.</summary>
    public OrganizationIdLengthOptions Length { get; init; } = new();
}

/// <summary>How many characters an organization id has after its prefix. Ids of one length need no closing character in a session policy.</summary>
public sealed record OrganizationIdLengthOptions
{
    /// <summary>The fewest, 1 to <see cref="Max"/>. Default: 1.</summary>
    public int Min { get; init; } = 1;

    /// <summary>The most, <see cref="Min"/> to 64. AWS's limits on texts are checked for this length. Default: 64.</summary>
    public int Max { get; init; } = 64;
}

/// <summary>The cache of vended credentials and endpoints.</summary>
public sealed record CacheOptions
{
    /// <summary>What every key in Redis begins with. Default: <c>iotcredentials:</c>.</summary>
    public string KeyPrefix { get; init; } = "iotcredentials:";

    /// <summary>The most entries that one process keeps in memory. Default: 100,000.</summary>
    public int MaxEntries { get; init; } = 100_000;
}

/// <summary>What this process may ask of STS.</summary>
public sealed record StsOptions
{
    /// <summary>The most AssumeRole calls a second. Default: 100.</summary>
    public int PermitsPerSecond { get; init; } = 100;

    /// <summary>The most AssumeRole calls at once. Default: 50.</summary>
    public int MaxConcurrent { get; init; } = 50;
}
