using System.Collections.Frozen;
using System.Reflection;
using IotCredentials.Policies;
using IotCredentials.Profiles;

namespace IotCredentials.Operations;

/// <summary>The effect of a difference between two profiles.</summary>
public enum ProfileEffect
{
    /// <summary>Sessions may reach more, or live longer.</summary>
    Loosened,

    /// <summary>Nothing knows what the difference means. It has to be treated as <see cref="Loosened"/>.</summary>
    Unjudged,

    /// <summary>Sessions reach less, or live shorter.</summary>
    Tightened,

    /// <summary>Sessions are others, but may not do more.</summary>
    Changed,
}

/// <summary>A difference between two profiles.</summary>
/// <param name="profile">The profile's name.</param>
/// <param name="organization">The organization whose overrides the difference is due to; null for the profile itself.</param>
/// <param name="key">The profile's key.</param>
/// <param name="effect">What it means.</param>
/// <param name="description">The difference in words.</param>
public sealed class ProfileDifference(string profile, string? organization, string key, ProfileEffect effect, string description)
{
    /// <summary>The profile's name.</summary>
    public string Profile { get; } = profile;

    /// <summary>The organization whose overrides the difference is due to; null for the profile itself.</summary>
    public string? Organization { get; } = organization;

    /// <summary>The profile's key; empty if the whole profile was added or removed.</summary>
    public string Key { get; } = key;

    /// <summary>What the difference means.</summary>
    public ProfileEffect Effect { get; } = effect;

    /// <summary>The difference in words.</summary>
    public string Description { get; } = description;
}

/// <summary>Compares profiles as they are in effect: with organizations' overrides, defaults and session policies.</summary>
public static class ProfileComparison
{
    private const int MostGrants = 5;

    // The properties that are read from the configuration. A property that Judge does not know is told all the same.
    private static readonly FrozenDictionary<string, PropertyInfo> s_properties = typeof(ProfileTemplate).GetProperties()
        .Where(static property => property.SetMethod is { IsPublic: true })
        .ToFrozenDictionary(static property => property.Name);

    /// <summary>Compares all profiles, and what each organization's overrides make of them.</summary>
    /// <param name="before">The profiles before.</param>
    /// <param name="after">The profiles after.</param>
    public static IEnumerable<ProfileDifference> Compare(ProfileSet before, ProfileSet after)
    {
        foreach (var profile in before.Names.Union(after.Names).Order(StringComparer.Ordinal))
        {
            if (!before.Has(profile) || !after.Has(profile))
            {
                var isNew = after.Has(profile);
                yield return new(profile, null, "", ProfileEffect.Changed, isNew ? "added" : "removed");
                continue;
            }

            foreach (var difference in Compare(before, profile, after, profile)) yield return difference;
        }
    }

    /// <summary>Compares two profiles of any name, and what each organization's overrides make of them.</summary>
    /// <param name="before">The profiles before.</param>
    /// <param name="profileBefore">The name of one of them.</param>
    /// <param name="after">The profiles after.</param>
    /// <param name="profileAfter">The name of one of them.</param>
    public static IEnumerable<ProfileDifference> Compare(ProfileSet before, string profileBefore, ProfileSet after, string profileAfter)
    {
        var differences = CompareOne(before, profileBefore, after, profileAfter, null).ToList();
        foreach (var difference in differences) yield return difference;
        var told = differences.Select(static difference => (difference.Key, difference.Description)).ToHashSet();
        var organizations = before.OrganizationsOf(profileBefore).Union(after.OrganizationsOf(profileAfter));
        foreach (var organization in organizations.OrderBy(static id => id.Value, StringComparer.Ordinal))
            foreach (var difference in CompareOne(before, profileBefore, after, profileAfter, organization))
                if (!told.Contains((difference.Key, difference.Description))) yield return difference;
    }

    /// <summary>Every effective value of a set of profiles, by a path. Sets with the same values make the same sessions. It holds no secret.</summary>
    /// <param name="profiles">The profiles.</param>
    public static IEnumerable<KeyValuePair<string, string>> ValuesOf(ProfileSet profiles)
    {
        foreach (var profile in profiles.Names)
            foreach (var organization in profiles.OrganizationsOf(profile).Prepend(null))
            {
                var template = profiles.Find(profile, organization)!;
                foreach (var (name, property) in s_properties)
                    if (TextOf(property.GetValue(template), template) is { } text) yield return new($"{profile}:{organization}:{name}", text);
            }
    }

    private static IEnumerable<ProfileDifference> CompareOne(
        ProfileSet before, string profileBefore, ProfileSet after, string profileAfter, OrganizationId? organization)
    {
        var (one, other) = (before.Find(profileBefore, organization)!, after.Find(profileAfter, organization)!);
        var example = organization ?? after.OrganizationIds.Examples.First();
        foreach (var (name, property) in s_properties.OrderBy(static property => property.Key, StringComparer.Ordinal))
        {
            var (old, current) = (property.GetValue(one), property.GetValue(other));
            var (oldText, text) = (TextOf(old, one), TextOf(current, other));
            if (oldText == text) continue;
            foreach (var (effect, words) in name == nameof(ProfileTemplate.SessionPolicy)
                ? ComparePolicies(ReachOf(one), ReachOf(other), example)
                : [(Judge(name, old, current), $"{oldText ?? "none"} → {text ?? "none"}")])
                yield return new(profileAfter, organization?.Value, KeyOf(name), effect, words);
        }
    }

    private static ProfileEffect Judge(string property, object? before, object? after) => property switch
    {
        nameof(ProfileTemplate.SessionDuration) => (TimeSpan)after! > (TimeSpan)before! ? ProfileEffect.Loosened : ProfileEffect.Tightened,
        // Another role, or other tags that its policies read, may allow more.
        nameof(ProfileTemplate.Role) or nameof(ProfileTemplate.SessionTags) => ProfileEffect.Loosened,
        nameof(ProfileTemplate.IsAccountChecked) => after is true ? ProfileEffect.Tightened : ProfileEffect.Loosened,
        // A caller then has the session of all.
        nameof(ProfileTemplate.Scope) => after is SessionScope.Organization ? ProfileEffect.Loosened : ProfileEffect.Changed,
        // The session policy says which region is reached.
        nameof(ProfileTemplate.Region) or nameof(ProfileTemplate.IotEndpoint) or nameof(ProfileTemplate.FallbackEndpoint)
            or nameof(ProfileTemplate.EndpointRole) or nameof(ProfileTemplate.MinimumLifetime) or nameof(ProfileTemplate.RefreshAfter)
            or nameof(ProfileTemplate.ExternalId) => ProfileEffect.Changed,
        _ => ProfileEffect.Unjudged,
    };

    private static IEnumerable<(ProfileEffect Effect, string Words)> ComparePolicies(
        SessionPolicyReach before, SessionPolicyReach after, OrganizationId example)
    {
        var more = after.Grants.Where(grant => !before.Covers(grant)).ToList();
        var less = before.Grants.Where(grant => !after.Covers(grant)).ToList();
        if (more.Count > 0) yield return (ProfileEffect.Loosened, $"a session may now {Describe(more, less)}");
        foreach (var gone in before.Denials.Except(after.Denials)) yield return (ProfileEffect.Loosened, $"no longer denies {gone}");
        if (less.Count > 0) yield return (ProfileEffect.Tightened, $"a session may no longer {Describe(less, more)}");
        foreach (var added in after.Denials.Except(before.Denials)) yield return (ProfileEffect.Tightened, $"now denies {added}");
        if (more.Count + less.Count == 0 && before.Denials.ToHashSet().SetEquals(after.Denials))
            yield return (ProfileEffect.Changed, "is written otherwise, and a session may do the same");

        // If the same words are in the other list, the difference is the region or the account.
        string Describe(List<SessionPolicyGrant> grants, List<SessionPolicyGrant> others) => string.Join("; ", grants.Take(MostGrants).Select(grant =>
        {
            var words = grant.Describe(example.Value);
            return others.Exists(other => other.Describe(example.Value) == words) ? $"{words} ({grant.Place})" : words;
        })) + (grants.Count > MostGrants ? $"; and {grants.Count - MostGrants} more" : "");
    }

    private static SessionPolicyReach ReachOf(ProfileTemplate template) => SessionPolicyReach.Of(Render(template));

    // The policy of any organization: its id stays a placeholder.
    private static string Render(ProfileTemplate template) =>
        template.SessionPolicy.Render(template.Shown().ValuesFor(new OrganizationId(TemplateText.OrganizationPlaceholder)));

    private static string? TextOf(object? value, ProfileTemplate template) => value switch
    {
        null => null,
        SessionPolicyTemplate => SessionPolicyReach.Of(Render(template)).ToText(),
        RoleArnTemplate role => role.Arn.Source,
        IReadOnlyList<KeyValuePair<string, TemplateText>> tags =>
            string.Join(", ", tags.Select(static tag => $"{tag.Key}={tag.Value}").Order(StringComparer.Ordinal)),
        TimeSpan time => time.ToString("c"),
        // IsAccountChecked, which means nothing where the directory is not asked.
        bool isChecked => template.Located is not null ? null
            : isChecked ? "the account is compared with the directory's" : "the account is not compared with the directory's",
        _ => value.ToString(),
    };

    private static string KeyOf(string property) => property switch
    {
        nameof(ProfileTemplate.Role) => nameof(ProfileOptions.RoleArn),
        nameof(ProfileTemplate.FallbackEndpoint) => nameof(ProfileOptions.IotEndpoint),
        nameof(ProfileTemplate.EndpointRole) => nameof(ProfileOptions.EndpointRoleArn),
        nameof(ProfileTemplate.IsAccountChecked) => nameof(ProfileOptions.RoleArn),
        _ => property,
    };
}
