using System.Text;
using System.Text.Json;
using IotCredentials.Caching;
using Xunit;

namespace IotCredentials.Tests.Caching;

/// <summary>
/// Replicas of this version and of those that used FusionCache share entries. The files <c>*.sealed</c> hold entries as such a version wrote them to Redis.
/// </summary>
public sealed class SharedEntryTests
{
    private const string Prefix = "iotcredentials:";
    private const string SealingKey = "VEhJUyBJUyBBIFRFU1QgS0VZLCBOT1QgQSBTRUNSRVQ=";
    private const string SealingKeyId = "ad90228c";

    private static readonly JsonSerializerOptions s_strict = new() { RespectRequiredConstructorParameters = true };
    private static readonly DateTimeOffset s_written = new(2026, 11, 26, 22, 45, 0, TimeSpan.Zero);

    [Fact]
    public void Credentials_that_a_version_with_FusionCache_wrote_are_read()
    {
        var entry = Open("credentials.sealed", "key-of-credentials");

        var credentials = SharedEntry<CachedCredentials>.Deserialize(entry, s_written, out var lifetime)!;

        Assert.Equal(("o-acme", "ASIATEST"), (credentials.OrganizationId, credentials.AccessKeyId));
        Assert.Equal(("se+cret/", "tok\"en=="), (credentials.SecretAccessKey, credentials.SessionToken));
        Assert.Equal(new DateTimeOffset(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero), credentials.IssuedAt);
        Assert.Equal(new DateTimeOffset(2026, 1, 2, 4, 4, 5, TimeSpan.Zero), credentials.Expiration);
        Assert.InRange(lifetime, TimeSpan.FromMinutes(58), TimeSpan.FromMinutes(60));
        Assert.Null(SharedEntry<CachedCredentials>.Deserialize(entry, s_written.AddHours(1), out _));
    }

    [Fact]
    public void An_endpoint_that_a_version_with_FusionCache_wrote_is_read()
    {
        var endpoint = SharedEntry<CachedIotDataEndpoint>.Deserialize(Open("endpoint.sealed", "key-of-endpoint"), s_written, out var lifetime)!;

        Assert.Equal(("eu-west-1", "abc-ats.iot.eu-west-1.amazonaws.com"), (endpoint.Region, endpoint.Address));
        Assert.InRange(lifetime, TimeSpan.FromDays(6.99), TimeSpan.FromDays(7));
    }

    [Fact]
    public void An_entry_is_written_with_the_members_that_FusionCache_reads_and_writes()
    {
        var endpoint = new CachedIotDataEndpoint { Region = "eu-west-1", AskedAt = s_written, Address = "an-address" };

        var written = SharedEntry<CachedIotDataEndpoint>.Serialize(endpoint, s_written, TimeSpan.FromDays(7));

        var fusion = JsonSerializer.Deserialize<FusionCacheDistributedEntry<CachedIotDataEndpoint>>(written, s_strict)!;
        Assert.Equal("an-address", fusion.Value.Address);
        Assert.Equal((s_written.UtcTicks, s_written.AddDays(7).UtcTicks), (fusion.Timestamp, fusion.LogicalExpirationTimestamp));
        Assert.Equal(Shape(Open("endpoint.sealed", "key-of-endpoint")), Shape(written));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("""{"Value":null,"LogicalExpirationTimestamp":9000000000000000000}""")]
    [InlineData("""{"Value":{"Region":1},"LogicalExpirationTimestamp":9000000000000000000}""")]
    public void Anything_else_is_a_miss(string entry) =>
        Assert.Null(SharedEntry<CachedIotDataEndpoint>.Deserialize(Encoding.UTF8.GetBytes(entry), s_written, out _));

    // The members and their types; of values only what FusionCache itself reads of the metadata.
    private static string Shape(byte[] entry)
    {
        using var json = JsonDocument.Parse(entry);
        return string.Join('\n', json.RootElement.EnumerateObject().Select(static member =>
            $"{member.Name} {(member.Name == "Metadata" ? member.Value.GetRawText() : member.Value.ValueKind)}"));
    }

    private static byte[] Open(string file, string key)
    {
        var path = Path.GetTempFileName();
        File.WriteAllText(path, SealingKey);
        var sealer = new Sealer(SealingKeys.Read(path));
        File.Delete(path);
        Assert.Equal([SealingKeyId], sealer.KeyIds);
        var name = CredentialCache.RedisKeyOf(Prefix, key, SealingKeyId);
        Assert.Equal($"iotcredentials:v2:{key}.{SealingKeyId}", name);
        var entry = Convert.FromBase64String(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, file)));
        return sealer.Open(name, entry, out _)!;
    }

    // The members of FusionCache's class of this name.
    private sealed record FusionCacheDistributedEntry<T>(
        T Value, long Timestamp, long LogicalExpirationTimestamp, string[]? Tags, FusionCacheEntryMetadata? Metadata);

    private sealed record FusionCacheEntryMetadata(
        bool IsStale, long? EagerExpirationTimestamp, string? ETag, long? LastModifiedTimestamp, long? Size, byte? Priority);
}
