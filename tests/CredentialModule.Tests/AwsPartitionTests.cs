using Amazon;
using Xunit;

namespace IotCredentials.Tests;

public sealed class AwsPartitionTests
{
    [Fact]
    public void Each_partition_of_the_SDK_is_known_with_a_region_and_its_domains()
    {
        Assert.Equal(
            RegionEndpoint.EnumerableAllRegions.Select(static region => region.PartitionName).Distinct().Order(),
            AwsPartition.All.Select(static partition => partition.Name).Order());
        Assert.All(AwsPartition.OneRegionOfEach, static region => Assert.True(AwsPartition.IsRegion(region), region));
        Assert.All(AwsPartition.All, static partition => Assert.DoesNotContain("", partition.Domains));
        Assert.All(AwsPartition.All, static partition => Assert.True(AwsPartition.IsName(partition.Name), partition.Name));
    }

    [Theory]
    [InlineData("ap-southeast-5", "aws")]
    [InlineData("eu-south-2", "aws")]
    [InlineData("eu-new-7", "aws")]
    [InlineData("cn-north-1", "aws-cn")]
    [InlineData("cn-south-12", "aws-cn")]
    [InlineData("us-gov-east-1", "aws-us-gov")]
    [InlineData("us-isob-west-1", "aws-iso-b")]
    [InlineData("eusc-de-east-1", "aws-eusc")]
    public void A_region_is_of_the_partition_that_its_form_says(string region, string partition)
    {
        Assert.True(AwsPartition.IsRegion(region));
        Assert.Equal(partition, AwsPartition.Of(region).Name);
    }

    [Theory]
    [InlineData("")]
    [InlineData("tokyo")]
    [InlineData("fips-us-east-1")]
    [InlineData("us-gov-west-1-fips")]
    [InlineData("aws-global")]
    [InlineData("us-east-1\n")]
    [InlineData("US-EAST-1")]
    [InlineData("us-east-1.evil.example")]
    public void Other_texts_are_no_region(string text) => Assert.False(AwsPartition.IsRegion(text));
}
