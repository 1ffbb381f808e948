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
        iotEndpoint = iotEndpoint?.ToLowerInvariant().TrimEnd('.');
        if (role.Partition != partition.Name)
        {
            yield return (nameof(ProfileOptions.RoleArn),
                $"is of the partition {role.Partition}, and the region {region} is of {partition.Name}: credentials of one are none in the other.");
        }

        if (PolicyProblem(role, region, partition.Name, iotEndpoint, sessionPolicy?.Allowed ?? []) is { } policyProblem)
            yield return (nameof(ProfileOptions.SessionPolicy), policyProblem);

        // If an endpoint is configured, AWS IoT is not called and the endpoint role is not used.
        if (iotEndpoint is null && endpointRoleArn?.Split(':') is [_, var endpointPartition, _, _, var account, ..])
        {
            if (endpointPartition != partition.Name)
                yield return (nameof(ProfileOptions.EndpointRoleArn),
                    $"is of the partition {endpointPartition}, and the region {region} is of {partition.Name}.");
            if (!role.HasOpenAccount && account != role.AccountId)
            {
                yield return (nameof(ProfileOptions.EndpointRoleArn),
                    $"is of the account {account}, and RoleArn of {role.AccountId}: its sessions do not reach the endpoint of another account.");
            }
        }

        if (iotEndpoint is not null && EndpointProblem(iotEndpoint, region, partition) is { } problem)
            yield return (nameof(ProfileOptions.IotEndpoint), problem);
    }

    /// <summary>A session policy's ARN that is of no use at the endpoint that clients get, and may be meant for another; null if there is none.</summary>
    public static string? PolicyWarning(string region, SessionPolicyTemplate sessionPolicy) =>
        sessionPolicy.Allowed.FirstOrDefault(place => Differs(place.Region, region)) is { } allowed
            ? $"has an ARN of the region {allowed.Region}, and Region is {region}: it allows nothing at the endpoint that clients get. "
                + $"Write {{region}} in {allowed.Path}, unless they connect to both."
            : null;

    private static string? PolicyProblem(RoleArnTemplate role, string region, string partition, string? iotEndpoint, IReadOnlyList<PolicyPlace> allowed)
    {
        if (allowed.FirstOrDefault(place => Differs(place.Partition, partition)) is { } other)
        {
            return $"has an ARN of the partition {other.Partition}, and the region {region} is of {partition}: it allows nothing there. "
                + $"Write {RoleArnTemplate.OpenPartition} in {other.Path}.";
        }

        // AWS IoT has no resource-based policies: no session reaches another account.
        if (!role.HasOpenAccount && allowed.FirstOrDefault(place => Differs(place.Account, role.AccountId)) is { } foreign)
        {
            return $"has an ARN of the account {foreign.Account}, and RoleArn is of {role.AccountId}: it allows nothing there. "
                + $"Write {RoleArnTemplate.OpenAccount} in {foreign.Path}.";
        }

        // Sessions are valid in every region of the partition, so further regions are no contradiction. A host of the operator's own can be in any of them.
        return allowed.All(place => Differs(place.Region, region)) && allowed is [var first, ..] && (iotEndpoint is null || DomainOf(iotEndpoint) is not null)
            ? $"has no ARN of the region {region}, only of {first.Region}: it allows nothing at the endpoint that clients get. "
                + $"Write {ProfileTemplate.OpenRegion} in {first.Path}."
            : null;
    }

    // A placeholder differs from nothing.
    private static bool Differs(string written, string actual) => written != actual && !written.StartsWith('{');

    private static string? DomainOf(string host) => Array.Find(s_domains, domain => host.EndsWith($".{domain}", StringComparison.Ordinal));

    private static string? EndpointProblem(string host, string region, AwsPartition partition)
    {
        if (DomainOf(host) is not { } domain) return null;
        if (!partition.Domains.Contains(domain)) return $"is of another partition than the region {region}, whose hosts end in {partition.Domain}.";
        var labels = host[..^(domain.Length + 1)].Split('.');
        return Array.Find(labels, AwsPartition.IsRegion) is { } other && other != region
            ? $"is in the region {other}, and Region is {region}: name the endpoint of {region}, or leave it out to ask AWS IoT."
            : labels[0] is "iot" or "iot-fips" || labels.Any(static label => label is "credentials" or "jobs")
                ? "is no data endpoint, such as abc-ats.iot.eu-west-1.amazonaws.com; leave it out to ask AWS IoT."
                : null;
    }
}
