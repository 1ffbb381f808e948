using Amazon.Runtime.Internal.Endpoints.StandardLibrary;

namespace CredentialModule.Profiles;

/// <summary>An AWS partition, as the AWS SDK knows it: regions under one domain, with accounts of their own.</summary>
/// <param name="Name">Such as <c>aws</c>, <c>aws-cn</c>, <c>aws-us-gov</c>.</param>
/// <param name="Domain">What its services' host names end in.</param>
/// <param name="DualStackDomain">What the host names of dual-stack endpoints end in.</param>
/// <param name="HasFips">Whether it has FIPS endpoints.</param>
/// <param name="HasDualStack">Whether it has dual-stack endpoints.</param>
internal sealed record AwsPartition(string Name, string Domain, string DualStackDomain, bool HasFips, bool HasDualStack)
{
    /// <summary>Both domains.</summary>
    public string[] Domains => [Domain, DualStackDomain];

    /// <summary>The partition of a region; of one that is not known yet, by its form.</summary>
    public static AwsPartition Of(string region)
    {
        var partition = Fn.Partition(region);
        return new(partition.name, partition.dnsSuffix, partition.dualStackDnsSuffix, partition.supportsFIPS, partition.supportsDualStack);
    }
}
