using Microsoft.Extensions.FileProviders;

namespace IotCredentials.Profiles;

/// <summary>Every profile, and every profile with each organization's overrides. It is validated as a whole and never changes.</summary>
public sealed class ProfileSet
{
    private const string Section = "IotCredentials";

    private readonly Dictionary<(string Profile, string? Organization), ProfileTemplate> _profiles;

    private ProfileSet(OrganizationIdFormat ids, Dictionary<(string, string?), ProfileTemplate> profiles)
    {
        OrganizationIds = ids;
        _profiles = profiles;
    }

    /// <summary>The form of the organization ids.</summary>
    public OrganizationIdFormat OrganizationIds { get; }

    /// <summary>The names of the profiles.</summary>
    public IEnumerable<string> Names => _profiles.Keys.Where(static key => key.Organization is null).Select(static key => key.Profile);

    /// <summary>Whether there is a profile of this name.</summary>
    public bool Has(string profile) => _profiles.ContainsKey((profile, null));

    /// <summary>The organizations that a profile has overrides for.</summary>
    internal IEnumerable<OrganizationId> OrganizationsOf(string profile) =>
        _profiles.Keys.Where(key => key.Profile == profile && key.Organization is not null).Select(static key => new OrganizationId(key.Organization!));

    /// <summary>The profile for an organization, or for none; null if no profile has that name.</summary>
    internal ProfileTemplate? Find(string profile, OrganizationId? organization) =>
        _profiles.GetValueOrDefault((profile, organization?.Value)) ?? _profiles.GetValueOrDefault((profile, null));

    /// <summary>Validates the options and the session-policy templates that they name.</summary>
    /// <param name="options">The options.</param>
    /// <param name="files">The folder that templates are relative to.</param>
    /// <param name="findings">All errors and warnings, by keys of the section <c>IotCredentials</c>.</param>
    /// <returns>The profiles; null if a finding is an error.</returns>
    public static ProfileSet? Create(IotCredentialsOptions options, IFileProvider files, out IReadOnlyList<Finding> findings)
    {
        var found = new List<Finding>();
        findings = found;

        if (options.Timeout <= TimeSpan.Zero || options.Timeout > IotCredentialsOptions.LongestTimeout) Error("Timeout", "is not over 0 and up to 00:01:00.");
        if (options.Cache.MaxEntries < 1) Error("Cache:MaxEntries", "is not at least 1.");
        if (options.Sts.PermitsPerSecond < 1) Error("Sts:PermitsPerSecond", "is not at least 1.");
        if (options.Sts.MaxConcurrent < 1) Error("Sts:MaxConcurrent", "is not at least 1.");

        var ids = OrganizationIdFormat.TryCreate(options.OrganizationId, out var idFindings);
        foreach (var finding in idFindings) Error("OrganizationId", $"{finding.Code}: {finding.Message}");
        if (ids is null) return null;

        var directory = options.Directory;
        if (directory is not null) DirectoryRules.Check(directory, files, (severity, key, message) => Add(severity, $"Directory:{key}", message));
        var profiles = new Dictionary<(string, string?), ProfileTemplate>();
        foreach (var organization in options.Organizations.Keys)
        {
            if (!ids.TryParse(organization, out _))
                Error($"Organizations:{organization}", "is not an organization id: it is not of the form that IotCredentials:OrganizationId sets.");
        }

        foreach (var (name, given) in options.Profiles)
        {
            // A configuration file can set null, or an object without members.
            var profile = given ?? new();
            var reader = new ProfileReader(
                ids, files, directory, profile, overrides: null, (severity, key, message) => Add(severity, $"Profiles:{name}:{key}", message));
            if (reader.Read() is not { } read) continue;
            profiles.Add((name, null), read);
            foreach (var (organization, overrides) in options.Organizations)
            {
                // A problem of a profile with overrides is reported for the organization's entry, whichever of the two set the value.
                var overlay = new ProfileReader(
                    ids, files, directory, profile.With(overrides ?? new()), overrides,
                    (severity, key, message) => Add(severity, $"Organizations:{organization}:{key}", $"(over profile {name}) {message}"));
                if (overlay.Read() is not { } overlaid) continue;
                profiles.Add((name, organization), overlaid);
                if (AwsPlaces.InheritedEndpointWarning(read, overlaid, directory?.OnlyAccount) is { } warning)
                    Add(Severity.Warning, $"Organizations:{organization}:{nameof(ProfileOptions.IotEndpoint)}", $"(over profile {name}) {warning}");
            }
        }

        if (found.Exists(static finding => finding.Severity == Severity.Error)) return null;
        foreach (var message in TemplateComparison.Find(ids, [.. profiles.Select(static each => (KeyOf(each.Key), each.Value))]))
            Add(Severity.Warning, "Profiles", $"have session policies that do not keep organizations apart from each other's: {message}");
        return new ProfileSet(ids, profiles);

        static string KeyOf((string Profile, string? Organization) of) =>
            of.Organization is null ? $"Profiles:{of.Profile}" : $"Organizations:{of.Organization} (over profile {of.Profile})";

        void Error(string key, string message) => Add(Severity.Error, key, message);

        void Add(Severity severity, string key, string message) => found.Add(new(severity, $"{Section}:{key}", "", message));
    }
}
