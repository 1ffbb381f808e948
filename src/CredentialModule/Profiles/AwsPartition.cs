using Amazon.Runtime.Internal.Endpoints.StandardLibrary;

namespace IotCredentials.Profiles;

/// <summary>An AWS partition, as the AWS SDK knows it: regions under one domain, with accounts of their own.</summary>
/// <param name="Name">The name, such as <c>aws</c>, <c>aws-cn</c>, <c>aws-us-gov</c>.</param>
/// <param name="Domain">The domain of its services' host names.</param>
/// <param name="DualStackDomain">The domain of the host names of dual-stack endpoints.</param>
/// <param name="HasFips">Whether it has FIPS endpoints.</param>
/// <param name="HasDualStack">Whether it has dual-stack endpoints.</param>
internal sealed record AwsPartition(string Name, string Domain, string DualStackDomain, bool HasFips, bool HasDualStack)
{
    public string[] Domains => [Domain, DualStackDomain];

    /// <summary>The partition of a region. If the SDK does not know the region yet, its form determines the partition.</summary>
    public static AwsPartition Of(string region)
    {
        var partition = Fn.Partition(region);
        return new(partition.name, partition.dnsSuffix, partition.dualStackDnsSuffix, partition.supportsFIPS, partition.supportsDualStack);
    }
}
