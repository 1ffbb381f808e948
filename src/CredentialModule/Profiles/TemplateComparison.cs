using IotCredentials.Policies;

namespace IotCredentials.Profiles;

/// <summary>
/// Compares the session policies of all profiles and organizations at one place. Each keeps the organizations apart that it serves; two of them may meet. An
/// organization's own policy is compared as if others had it too, so a finding is a warning.
/// </summary>
internal static class TemplateComparison
{
    // The work grows with the square.
    private const int MostResources = 100;

    /// <summary>A warning for each place at which two policies meet, with the first two resources that do.</summary>
    /// <param name="ids">The form of organization ids.</param>
    /// <param name="profiles">All profiles, with the keys of their session policies.</param>
    public static IEnumerable<string> Find(OrganizationIdFormat ids, IReadOnlyList<(string Key, ProfileTemplate Profile)> profiles)
    {
        var places = profiles.ToLookup(static each => each.Profile.Located is { } located ? (located.Role.AccountId, located.Region) : default);
        // The directory decides where these are. They are compared with those of every place.
        var anywhere = places[default].DistinctBy(static each => TextOf(each.Profile.SessionPolicy)).Take(MostResources).ToList();
        return places.Select(place => FindAt(ids, place.Key == default ? anywhere : [.. place, .. anywhere])).OfType<string>().Distinct();
    }

    private static string TextOf(SessionPolicyTemplate policy) => string.Join('\n',
        policy.Resources.Select(static resource => resource.Source).Append("").Concat(policy.Shared.All.Select(static topic => topic.Source)));

    private static string? FindAt(OrganizationIdFormat ids, IReadOnlyList<(string Key, ProfileTemplate Profile)> profiles)
    {
        var resources = from each in profiles
                        from resource in each.Profile.SessionPolicy.Resources
                        select resource with { Where = $"{each.Key}: {resource.Where}" };
        var findings = new List<Finding>();
        // Resources of one policy are apart from each other, so a finding is about two.
        new ResourceCollisionRule(ids, SharedTopics.Of(profiles.Select(static each => each.Profile.SessionPolicy.Shared)), findings)
            .Check([.. resources.DistinctBy(static resource => resource.Source).Take(MostResources)]);
        return findings.Count == 0 ? null
            : findings[0].Message + (findings.Count == 1 ? "" : $" So do {findings.Count - 1} other pairs.");
    }
}
