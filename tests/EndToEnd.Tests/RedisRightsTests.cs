using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Sandbox;
using Testing;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>Redis as operators secure it: TLS by an authority of their own, and a user with the rights that the documentation names and no others.</summary>
[Trait("Category", "Redis")]
public sealed partial class RedisRightsTests : IDisposable
{
    private const string Password = "a-password-that-no-log-shows";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("redis-tls-");

    public void Dispose() => _directory.Delete(recursive: true);

    // Garnet has neither, and is used as it is.
    public static TheoryData<string> Ways => RedisServer.IsReal ? ["TLS and a user", "TLS and a user, behind a name that the certificate has not"] : ["Garnet"];

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task With_the_rights_that_are_documented_replicas_share_forget_and_count_together(string way)
    {
        await using var world = await World.StartAsync();
        await using var redis = await StartAsync();
        if (RedisServer.IsReal) foreach (var rights in RightsOf(world.KeyPrefix)) await redis.ExecuteAsync(rights);
        var connection = RedisServer.IsReal
            ? $"127.0.0.1:{redis.TlsPort},ssl=true,user=gateway,password={Password}"
                + $"{(way.Contains("name", StringComparison.Ordinal) ? ",sslHost=redis.internal" : "")}"
            : redis.ConnectionString;
        var gateways = new List<GatewayProcess>();
        for (var i = 0; i < 2; i++) gateways.Add(await StartAsync(world, connection));

        var vended = await VendAsync(world, gateways[0], "o-acme");
        var shared = await VendAsync(world, gateways[1], "o-acme");
        Assert.True(vended.AccessKeyId == shared.AccessKeyId, $"{(RedisServer.IsReal ? await redis.ExecuteAsync("ACL", "LOG") : "")}\n{gateways[0].Output}");
        var operators = world.Issuer.Issue(new TokenRequest { Roles = ["platform-operator"] });
        var forgotten = await world.Client.SendAsync($"{gateways[0].ManagementUrl}/organizations/o-acme/credentials", operators, "DELETE");
        Assert.True(forgotten.Status == 204, gateways[0].Output);
        await Eventually.IsTrueAsync(async () => (await VendAsync(world, gateways[1], "o-acme")).AccessKeyId != vended.AccessKeyId);
        // Of three permits each replica takes one, and the other the rest.
        var statuses = new List<int>();
        for (var i = 0; i < 5; i++)
            statuses.Add((await world.Client.SendAsync(gateways[i % 2].Url + "/organizations/o-acme/devices", world.Token("o-acme"))).Status);

        Assert.True(
            statuses is [200, 200, 200, 429, 429], $"{string.Join(' ', statuses)}\n{(RedisServer.IsReal ? await redis.ExecuteAsync("ACL", "LOG") : "")}");
        if (RedisServer.IsReal) Assert.Equal("", await redis.ExecuteAsync("ACL", "LOG"));
        foreach (var gateway in gateways)
        {
            Assert.True(
                !gateway.Output.Contains("warn:", StringComparison.Ordinal) && !gateway.Output.Contains("fail:", StringComparison.Ordinal), gateway.Output);
            Assert.DoesNotContain(Password, gateway.Output, StringComparison.Ordinal);
        }
    }

    [GeneratedRegex("^ACL SETUSER gateway .*$", RegexOptions.Multiline)]
    private static partial Regex DocumentedUser();

    // The lines as an operator copies them, with the test's prefix and password.
    private static IEnumerable<string[]> RightsOf(string keyPrefix) =>
        DocumentedUser().Matches(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "docs", "troubleshooting.md"))).Select(line => line.Value
            .Replace("iotcredentials:", keyPrefix, StringComparison.Ordinal).Replace("PASSWORD", Password, StringComparison.Ordinal).Split(' '));

    private async Task<RedisServer> StartAsync()
    {
        if (!RedisServer.IsReal) return await RedisServer.StartAsync();
        using var authority = Certificate("CN=an authority of ours", null);
        using var certificate = Certificate("CN=redis.internal", authority);
        string Written(string name, string content)
        {
            var file = Path.Combine(_directory.FullName, name);
            File.WriteAllText(file, content);
            return file;
        }

        return await RedisServer.StartTlsAsync(
            "--tls-cert-file", Written("redis.crt", certificate.ExportCertificatePem()),
            "--tls-key-file", Written("redis.key", certificate.GetRSAPrivateKey()!.ExportPkcs8PrivateKeyPem()),
            "--tls-ca-cert-file", Written("ca.crt", authority.ExportCertificatePem()),
            "--tls-auth-clients", "no");
    }

    private Task<GatewayProcess> StartAsync(World world, string connection) => world.StartGatewayProcessAsync(
        settings =>
        {
            settings["ConnectionStrings"]!["Redis"] = connection;
            settings["Authorization"]!["Policies"]!["Operators"] = new JsonObject { ["Roles"] = new JsonArray("platform-operator") };
            settings["Management"]!["AuthorizationPolicy"] = "Operators";
            settings["RateLimiting"] = JsonNode.Parse("""
                { "Policies": {
                  "Three": { "Algorithm": "FixedWindow", "PartitionBy": "Organization", "PermitLimit": 3, "Window": "01:00:00", "Store": "Redis" } } }
                """);
            settings["ReverseProxy"]!["Routes"]!["organizations"]!["RateLimiterPolicy"] = "Three";
        },
        RedisServer.IsReal ? new Dictionary<string, string> { ["SSL_CERT_FILE"] = Path.Combine(_directory.FullName, "ca.crt") } : null);

    private static Task<Response> VendAsync(World world, GatewayProcess gateway, string organization) =>
        world.Client.SendAsync(gateway.Url + Requests.CredentialsPath(organization), world.Token(organization));

    private static X509Certificate2 Certificate(string subject, X509Certificate2? authority)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(authority is null, false, 0, true));
        var (from, to) = (DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(7));
        if (authority is null) return request.CreateSelfSigned(from, to);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("redis.internal");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var issued = request.Create(authority, from, to.AddDays(-1), RandomNumberGenerator.GetBytes(8));
        return issued.CopyWithPrivateKey(key);
    }
}
