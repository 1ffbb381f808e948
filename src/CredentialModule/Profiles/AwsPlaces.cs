using IotCredentials.Policies;

namespace IotCredentials.Profiles;

/// <summary>
/// Checks that role, region, endpoints and session policy of a profile are in one partition, one region and one account: elsewhere a session reaches nothing.
/// </summary>
internal static class AwsPlaces
{
    // A host in another domain is the operator's own.
    private static readonly string[] s_domains = [.. AwsPartition.All.SelectMany(static partition => partition.Domains).Distinct()];

    /// <summary>Each key that contradicts another, with the contradiction.</summary>
    public static IEnumerable<(string Key, string Message)> Find(
        RoleArnTemplate role, string region, string? iotEndpoint, string? endpointRoleArn, SessionPolicyTemplate? sessionPolicy)
    {
        var partition = AwsPartition.Of(region);
        if (role.Partition != partition.Name)
        {
            yield return (nameof(ProfileOptions.RoleArn),
                $"is of the partition {role.Partition}, and the region {region} is of {partition.Name}: credentials of one are none in the other.");
        }

        if (sessionPolicy?.Places.FirstOrDefault(place => Differs(place.Partition, partition.Name)) is { } other)
        {
            yield return (nameof(ProfileOptions.SessionPolicy),
                $"has an ARN of the partition {other.Partition}, and the region {region} is of {partition.Name}, whose STS refuses such a policy. "
                + $"Write {RoleArnTemplate.OpenPartition} in {other.Path}.");
        }

        // If an endpoint is configured, AWS IoT is not called and the endpoint role is not used.
        if (iotEndpoint is null && endpointRoleArn?.Split(':') is [_, var endpointPartition, _, _, var account, ..])
        {
            if (endpointPartition != partition.Name)
                yield return (nameof(ProfileOptions.EndpointRoleArn),
                    $"is of the partition {endpointPartition}, and the region {region} is of {partition.Name}.");
            if (account != role.AccountId)
            {
                yield return (nameof(ProfileOptions.EndpointRoleArn),
                    $"is of the account {account}, and RoleArn of {role.AccountId}: its sessions do not reach the endpoint of another account.");
            }
        }

        if (iotEndpoint is { } endpoint && EndpointProblem(endpoint.ToLowerInvariant(), region, partition) is { } problem)
            yield return (nameof(ProfileOptions.IotEndpoint), problem);
    }

    /// <summary>
    /// A session policy's ARN that allows or denies nothing at the endpoint that clients get; null if there is none. It may be meant for clients that connect
    /// elsewhere.
    /// </summary>
    public static string? PolicyWarning(RoleArnTemplate role, string region, SessionPolicyTemplate sessionPolicy) =>
        // AWS IoT has no resource-based policies: no session reaches another account.
        sessionPolicy.Places.FirstOrDefault(place => Differs(place.Account, role.AccountId)) is { } foreign
            ? $"has an ARN of the account {foreign.Account}, and RoleArn is of {role.AccountId}: it {foreign.Verb} nothing there. "
                + $"Write {RoleArnTemplate.OpenAccount} in {foreign.Path}."
            : sessionPolicy.Places.FirstOrDefault(place => Differs(place.Region, region)) is { } elsewhere
                ? $"has an ARN of the region {elsewhere.Region}, and Region is {region}: it {elsewhere.Verb} nothing at the endpoint that clients get. "
                    + $"Write {ProfileTemplate.OpenRegion} in {elsewhere.Path}, unless they connect to both."
                : null;

    /// <summary>A problem of the endpoint that an organization's entry takes from its profile; null if none is known.</summary>
    /// <param name="profile">The profile.</param>
    /// <param name="entry">The profile with the entry's overrides.</param>
    /// <param name="onlyAccount">The account that the directory always names, if there is one.</param>
    public static string? InheritedEndpointWarning(ProfileTemplate profile, ProfileTemplate entry, string? onlyAccount)
    {
        if (entry.FallbackEndpoint is null) return null;
        const string Remedy = "Name the endpoint, or null to ask AWS IoT.";
        var account = profile.Role.HasOpenAccount ? onlyAccount : profile.Role.AccountId;
        if (!entry.Role.HasOpenAccount && entry.Role.AccountId != account)
            return $"is the profile's, of the account {account}, and RoleArn is of {entry.Role.AccountId}, whose sessions do not reach it. {Remedy}";
        return profile.Region is { } region && entry.Region is { } other && other != region
            ? $"is the profile's, of the region {region}, and Region is {other}: clients would connect to {region}. {Remedy}"
            : null;
    }

    // A placeholder or a wildcard differs from nothing.
    private static bool Differs(string written, string actual) => written != actual && written.AsSpan().IndexOfAny('{', '*', '?') < 0;

    private static string? EndpointProblem(string host, string region, AwsPartition partition)
    {
        host = host.TrimEnd('.');
        if (Array.Find(s_domains, domain => host.EndsWith($".{domain}", StringComparison.Ordinal)) is not { } domain) return null;
        if (!partition.Domains.Contains(domain)) return $"is of another partition than the region {region}, whose hosts end in {partition.Domain}.";
        var labels = host[..^(domain.Length + 1)].Split('.');
        return Array.Find(labels, AwsPartition.IsRegion) is { } other && other != region
            ? $"is in the region {other}, and Region is {region}: name the endpoint of {region}, or leave it out to ask AWS IoT."
            : labels[0] is "iot" or "iot-fips" || labels.Any(static label => label is "credentials" or "jobs")
                ? "is no data endpoint, such as abc-ats.iot.eu-west-1.amazonaws.com; leave it out to ask AWS IoT."
                : null;
    }
}
