namespace IotCredentials.Profiles;

/// <summary>The limits of STS AssumeRole.</summary>
internal static class StsLimits
{
    /// <summary>The shortest session, for any role. API reference of AssumeRole, DurationSeconds: 900 at least.</summary>
    public static readonly TimeSpan ShortestSession = TimeSpan.FromSeconds(900);

    /// <summary>The longest session, if the role's maximum session duration allows it. API reference of AssumeRole, DurationSeconds: 43,200 at most.</summary>
    public static readonly TimeSpan LongestSession = TimeSpan.FromSeconds(43_200);

    /// <summary>The longest session that a role's own session may open (role chaining). IAM user guide, "Methods to assume a role".</summary>
    public static readonly TimeSpan LongestChainedSession = TimeSpan.FromHours(1);

    /// <summary>The fewest characters of a session name. API reference of AssumeRole, RoleSessionName and SourceIdentity.</summary>
    public const int ShortestName = 2;

    /// <summary>The most characters of a session name. API reference of AssumeRole, RoleSessionName and SourceIdentity.</summary>
    public const int LongestName = 64;
}
