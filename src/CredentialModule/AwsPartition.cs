using System.Text.RegularExpressions;
using Amazon;
using Amazon.Runtime.Internal.Endpoints.StandardLibrary;

namespace IotCredentials;

/// <summary>An AWS partition, as the AWS SDK knows it: regions under one domain, with accounts of their own.</summary>
/// <param name="Name">The name, such as <c>aws</c>, <c>aws-cn</c>, <c>aws-us-gov</c>.</param>
/// <param name="Domain">The domain of its services' host names.</param>
/// <param name="DualStackDomain">The domain of the host names of dual-stack endpoints.</param>
/// <param name="HasFips">Whether it has FIPS endpoints.</param>
/// <param name="HasDualStack">Whether it has dual-stack endpoints.</param>
internal sealed partial record AwsPartition(string Name, string Domain, string DualStackDomain, bool HasFips, bool HasDualStack)
{
    /// <summary>
    /// One region of each partition that the SDK knows. Its list also has a name that is no region, us-east-1-regional: to find the partition of that, it
    /// compiles regular expressions, which took 15 ms of each start.
    /// </summary>
    public static IReadOnlyList<string> OneRegionOfEach { get; } =
        [.. RegionEndpoint.EnumerableAllRegions.Select(static region => region.SystemName).Where(IsRegion)
            .Select(static region => Fn.Partition(region).implicitGlobalRegion).Distinct()];

    /// <summary>Every partition that the SDK knows.</summary>
    public static IReadOnlyList<AwsPartition> All { get; } = [.. OneRegionOfEach.Select(Of)];

    /// <summary>The names of all partitions, in the words of an error.</summary>
    public static string Names { get; } = string.Join(", ", All.Select(static partition => partition.Name));

    public string[] Domains => [Domain, DualStackDomain];

    /// <summary>The partition of a region. If the SDK does not know the region yet, its form determines the partition.</summary>
    public static AwsPartition Of(string region)
    {
        var partition = Fn.Partition(region);
        return new(partition.name, partition.dnsSuffix, partition.dualStackDnsSuffix, partition.supportsFIPS, partition.supportsDualStack);
    }

    /// <summary>Whether a text is the name of a partition.</summary>
    public static bool IsName(string text) => All.Any(partition => partition.Name == text);

    /// <summary>Whether a text has the form of a region's name.</summary>
    public static bool IsRegion(string text) => Region().IsMatch(text);

    // fips-us-east-1 is an endpoint's name: the SDK would take it for us-east-1 with FIPS, and no ARN may hold it.
    [GeneratedRegex(@"^(?!fips-)[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}\z")]
    private static partial Regex Region();
}
