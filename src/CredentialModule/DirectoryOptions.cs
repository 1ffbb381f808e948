namespace IotCredentials;

/// <summary>
/// The service that says in which AWS account and region an organization lives. It is asked for members of the organization only. Its responses may name only
/// the accounts and regions that are allowed here.
/// </summary>
public sealed record DirectoryOptions
{
    internal const string AnyAccount = "*";

    // AWS's longest region names have 14 characters. The lengths of policies are checked for this many, so that a new region fits as well.
    private const int LongestNewRegion = 20;

    /// <summary>
    /// The address that is asked (GET): absolute, http or https, with <c>{organizationId}</c> once in its path, and no user and no fragment. Required.
    /// </summary>
    public string? Address { get; set; }

    /// <summary>
    /// A file with a bearer token for the directory, relative to the configuration folder or absolute. It is read for every call. Default: none.
    /// </summary>
    public string? TokenPath { get; set; }

    /// <summary>The longest that one call may take, up to 1 minute. Three quarters of IotCredentials:Timeout if that is less. Default: 2 seconds.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a response is used. It is renewed in the background from 80 % of this time on. Default: 5 minutes.</summary>
    public TimeSpan CacheFor { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a response is used beyond <see cref="CacheFor"/> while the directory fails. Default: 1 hour.</summary>
    public TimeSpan StaleFor { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How long an organization that the directory does not know (404) is refused without asking again. Default: 30 seconds.</summary>
    public TimeSpan UnknownFor { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The accounts that responses may name, 12 digits each; <c>["*"]</c> allows any and is a warning. Required.</summary>
    public IReadOnlyList<string>? AllowedAccounts { get; set; }

    /// <summary>The regions that responses may name. Default: any.</summary>
    public IReadOnlyList<string>? AllowedRegions { get; set; }

    /// <summary>The only account that responses may name; null if they may name several.</summary>
    internal string? OnlyAccount => AllowedAccounts is [var account] && account != AnyAccount ? account : null;

    internal int LongestRegion => AllowedRegions is { Count: > 0 } regions ? regions.Max(static region => region?.Length ?? 0) : LongestNewRegion;

    internal bool AllowsAccount(string account) =>
        AllowedAccounts is { } accounts && (accounts.Contains(account, StringComparer.Ordinal) || accounts is [AnyAccount]);

    internal bool AllowsRegion(string region) => AllowedRegions is { Count: > 0 } regions
        ? regions.Contains(region, StringComparer.Ordinal)
        : region.Length <= LongestNewRegion;
}
