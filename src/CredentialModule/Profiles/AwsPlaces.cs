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

        if (sessionPolicy?.Partitions.FirstOrDefault(name => name != partition.Name) is { } other)
        {
            yield return (nameof(ProfileOptions.SessionPolicy),
                $"has an ARN of the partition {other}, and the region {region} is of {partition.Name}: it allows nothing there. Write {{partition}}.");
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
