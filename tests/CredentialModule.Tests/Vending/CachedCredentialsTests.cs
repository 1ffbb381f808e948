using System.Text;
using System.Text.Json;
using IotCredentials.Caching;
using Xunit;

namespace IotCredentials.Tests.Vending;

public sealed class CachedCredentialsTests
{
    private const string Kept =
        """
        {"OrganizationId":"o-acme","IssuedAt":"2024-01-01T00:00:00+00:00","Expiration":"2024-01-01T01:00:00.5+00:00",
        "AccessKeyId":"ASIA0","SecretAccessKey":"secret+/=","SessionToken":"token+/=\u0022"}
        """;

    private static readonly CachedCredentials s_credentials = JsonSerializer.Deserialize<CachedCredentials>(Kept)!;

    [Fact]
    public void Serialized_HoldsWhatReplicasReadAndNoAnswer()
    {
        var kept = JsonSerializer.SerializeToElement(s_credentials);

        Assert.True(JsonElement.DeepEquals(JsonDocument.Parse(Kept).RootElement, kept), kept.ToString());
    }

    [Theory]
    [InlineData("AccessKeyId")]
    [InlineData("SecretAccessKey")]
    [InlineData("SessionToken")]
    public void Deserialized_WithoutAPart_IsRefused(string member) =>
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<CachedCredentials>(Kept.Replace(member, "Other", StringComparison.Ordinal)));

    [Fact]
    public void Answer_IsThatOfTheContract()
    {
        var endpoint = new CachedIotDataEndpoint { Region = "eu-west-1", AskedAt = default, Address = "abc-ats.iot.eu-west-1.amazonaws.com" };

        var answer = Encoding.UTF8.GetString([.. endpoint.Response, .. s_credentials.Response, .. CredentialResponse.Closing]);

        Assert.Equal(
            """{"data":{"awsRegion":"eu-west-1","iotEndpoint":"abc-ats.iot.eu-west-1.amazonaws.com","credentials":"""
            + """{"accessKeyId":"ASIA0","secretAccessKey":"secret+/=","sessionToken":"token+/=\"","expiration":"2024-01-01T01:00:00.500Z"}}}""",
            answer);
        Assert.DoesNotContain("Answer", JsonSerializer.Serialize(endpoint), StringComparison.Ordinal);
    }

    [Fact]
    public void ToString_SpellsNoSecret() => Assert.DoesNotContain("secret", s_credentials.ToString(), StringComparison.Ordinal);
}
