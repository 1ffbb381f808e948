using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.FileProviders;

namespace IotCredentials.Profiles;

/// <summary>Every profile, and every profile with each organization's overrides. It is read as a whole and never changes.</summary>
internal sealed class ProfileSet
{
    private readonly Dictionary<(string Profile, string? Organization), Profile> _profiles;

    private ProfileSet(OrganizationIdFormat ids, Dictionary<(string, string?), Profile> profiles)
    {
        OrganizationIds = ids;
        _profiles = profiles;
    }

    public OrganizationIdFormat OrganizationIds { get; }

    public bool Has(string profile) => _profiles.ContainsKey((profile, null));

    /// <summary>The profile for an organization, or for none; null if no profile has that name.</summary>
    public Profile? Find(string profile, OrganizationId? organization) =>
        _profiles.GetValueOrDefault((profile, organization?.Value)) ?? _profiles.GetValueOrDefault((profile, null));

    /// <summary>Reads the whole section; null if a problem is more than a warning.</summary>
    public static ProfileSet? Read(IConfiguration section, IFileProvider files, out IReadOnlyList<ConfigurationProblem> problems)
    {
        var found = new List<ConfigurationProblem>();
        problems = found;
        var options = section.Get<IotCredentialsOptions>() ?? new IotCredentialsOptions();

        if (options.Timeout <= TimeSpan.Zero || options.Timeout > TimeSpan.FromMinutes(1)) Error("Timeout", "is not over 0 and up to 00:01:00.");
        if (options.Cache.MaxEntries < 1) Error("Cache:MaxEntries", "is not at least 1.");
        if (options.Sts.PermitsPerSecond < 1) Error("Sts:PermitsPerSecond", "is not at least 1.");
        if (options.Sts.MaxConcurrent < 1) Error("Sts:MaxConcurrent", "is not at least 1.");

        var ids = OrganizationIdFormat.TryCreate(options.OrganizationId, out var idFindings);
        foreach (var finding in idFindings) Error("OrganizationId", $"{finding.Code}: {finding.Message}");
        if (ids is null) return null;

        var profiles = new Dictionary<(string, string?), Profile>();
        var organizations = section.GetSection("Organizations").GetChildren().ToList();
        foreach (var organization in organizations)
        {
            if (!ids.TryParse(organization.Key, out _))
                Error($"Organizations:{organization.Key}", "is no organization id: it is not of the form that IotCredentials:OrganizationId sets.");
        }

        foreach (var profile in section.GetSection("Profiles").GetChildren())
        {
            var plain = Overlaid(profile, null);
            var reader = new ProfileReader(ids, files, (key, message, warns) => found.Add(new($"Profiles:{profile.Key}:{key}", message, warns)));
            if (reader.Read(plain) is not { } read) continue;
            profiles.Add((profile.Key, null), read);
            foreach (var organization in organizations)
            {
                // A problem of a profile with overrides is reported for the organization's entry, whichever of the two set the value.
                var overlay = new ProfileReader(ids, files, (key, message, warns) =>
                    found.Add(new($"Organizations:{organization.Key}:{key}", $"(over profile {profile.Key}) {message}", warns)));
                if (overlay.Read(Overlaid(profile, organization)) is { } overlaid) profiles.Add((profile.Key, organization.Key), overlaid);
            }
        }

        return found.All(problem => problem.IsWarning) ? new ProfileSet(ids, profiles) : null;

        void Error(string key, string message) => found.Add(new(key, message));
    }

    private static ProfileOptions Overlaid(IConfigurationSection profile, IConfigurationSection? organization)
    {
        var options = new ProfileOptions();
        profile.Bind(options);
        // The binder would add to the list, but an organization's list replaces the profile's.
        if (organization?.GetSection(nameof(ProfileOptions.SharedTopics)).Exists() == true)
            options = options with { SharedTopics = [] };
        organization?.Bind(options);
        return options;
    }
}
