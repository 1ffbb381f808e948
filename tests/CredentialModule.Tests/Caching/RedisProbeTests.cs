using System.Net;
using System.Net.Security;
using System.Reflection;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using IotCredentials.Failures;
using IotCredentials.Redis;
using Sandbox;
using StackExchange.Redis;
using Testing;
using Xunit;

namespace IotCredentials.Tests.Caching;

/// <summary>Each cause why Redis cannot be used is found as what it is, and says nothing of the connection string.</summary>
public sealed class RedisProbeTests(RedisProbeTests.Redis redis) : IClassFixture<RedisProbeTests.Redis>
{
    private const string Secret = "hunter2";

    // All responses up to those of the scripts and of SCAN.
    private const string Scripts = "+OK|+OK|+OK|:1|:1|:1|$-1|*0|:0|:0|:-2|:1|$-1|+OK|+OK|+QUEUED|+OK|+OK|+OK|*0|:1|$3~sha|:1|*2~$1~0~*0";

    // What is silent costs so much; all else answers at once, on a machine that is busy too.
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task F8_a_Redis_that_works_has_no_problem() => Assert.Null(await FindAsync(redis.Embedded.ConnectionString));

    [Theory]
    [InlineData("-NOAUTH Authentication required.", "", "it asks for a password, and the gateway has none (NOAUTH)")]
    [InlineData(
        "-WRONGPASS invalid username-password pair or user is disabled.", ",user=u,password=hunter2", "it refuses the user or the password (WRONGPASS)")]
    [InlineData("-WRONGPASS invalid username-password pair or user is disabled.", ",user=u", "it refuses the user or the password (WRONGPASS)")]
    [InlineData("-ERR invalid password", ",password=hunter2", "it refuses the user or the password (WRONGPASS)")]
    [InlineData(
        "-ERR AUTH <password> called without any password configured for the default user. Are you sure?",
        ",password=hunter2",
        "it has no password, and the gateway sends one")]
    [InlineData("-ERR max number of clients reached", "", "it takes no more connections (maxclients)")]
    [InlineData("-ERR max number of clients reached", ",user=u,password=hunter2", "it takes no more connections (maxclients)")]
    [InlineData("-ERR max number of clients + cluster connections reached", ",password=hunter2", "it takes no more connections (maxclients)")]
    [InlineData(
        "-DENIED Redis is running in protected mode because no password is set", ",user=u,password=hunter2",
        "it takes no connections from other machines (DENIED)")]
    [InlineData("-LOADING Redis is loading the dataset in memory", ",password=hunter2", "it is loading its data (LOADING)")]
    [InlineData("-ERR wrong number of arguments for 'auth' command", ",user=u,password=hunter2", "it responds to AUTH with the error ERR")]
    [InlineData("-NOPERM User reader has no permissions to run the 'ping' command", "", "it does not permit the gateway's user the command PING (NOPERM)")]
    [InlineData("+OK|-ERR DB index is out of range", ",defaultDatabase=99", "it has no database 99")]
    [InlineData("+OK|-ERR SELECT is not allowed in cluster mode", ",defaultDatabase=1", "it has no database 1")]
    [InlineData("+OK|-NOPERM No permissions", ",defaultDatabase=1", "it does not permit the gateway's user the command SELECT (NOPERM)")]
    [InlineData("+OK|-NOPERM No permissions to access a key", "", "it does not permit the gateway's user the command SET (NOPERM)")]
    [InlineData(
        "+OK|+OK|-NOPERM User reader has no permissions to run the 'hmset' command", "", "it does not permit the gateway's user the command HMSET (NOPERM)")]
    [InlineData("+OK|+OK|-ERR unknown command 'HMSET', with args beginning with: ", "", "it does not have the command HMSET")]
    [InlineData("+OK|+OK|-OOM command not allowed", "", "it is full (OOM)")]
    [InlineData(
        "+OK|+OK|+OK|:1|:1|:1|$-1|*0|:0|:0|:-2|:1|$-1|+OK|+OK|-NOPERM User reader has no permissions to run the 'time' command",
        "",
        "it does not permit the gateway's user the command TIME (NOPERM)")]
    [InlineData(
        Scripts + "|-NOPERM No permissions to access a channel", "", "it does not permit the gateway's user the command PUBLISH (NOPERM)")]
    [InlineData(
        Scripts + "|:0|-NOPERM No permissions to access a channel", "", "it does not permit the gateway's user the command SUBSCRIBE (NOPERM)")]
    [InlineData("+OK|-READONLY You can't write against a read only replica.", "", "it is a read-only replica (READONLY)")]
    [InlineData("+OK|-OOM command not allowed when used memory > 'maxmemory'.", "", "it is full (OOM)")]
    [InlineData("+OK|-MISCONF Redis is configured to save RDB snapshots", "", "it takes no writes because it cannot save to disk (MISCONF)")]
    [InlineData("-LOADING Redis is loading the dataset in memory", "", "it is loading its data (LOADING)")]
    [InlineData("-DENIED Redis is running in protected mode", "", "it takes no connections from other machines (DENIED)")]
    [InlineData("HTTP/1.1 400 Bad Request", "", "it closes connections at once")]
    [InlineData("+PONG|*-1", ",serviceName=nobody", "the sentinels do not know the serviceName")]
    [InlineData("+PONG|*2~$9~127.0.0.1~$1~1", ",serviceName=gateway", "the connection is refused")]
    [InlineData("+PONG|-NOPERM No permissions", ",serviceName=gateway", "it does not permit the gateway's user the command SENTINEL (NOPERM)")]
    [InlineData(
        "-WRONGPASS invalid username-password pair", ",serviceName=gateway,sentinelPassword=hunter2", "it refuses the user or the password (WRONGPASS)")]
    public async Task F8_an_error_of_Redis_is_told_by_its_code_alone(string responses, string options, string cause)
    {
        await using var server = new StubTcpServer(async (stream, ended) =>
        {
            var buffer = new byte[1024];
            foreach (var response in responses.Split('|'))
            {
                if (await stream.ReadAsync(buffer, ended) == 0) return;
                await stream.WriteAsync(Encoding.ASCII.GetBytes($"{response}\r\n".Replace("~", "\r\n", StringComparison.Ordinal)), ended);
            }

            _ = await stream.ReadAsync(buffer, ended);
        });

        Assert.Equal(cause, (await FindAsync($"127.0.0.1:{server.Port}{options}"))?.Cause);
    }

    // Garnet has no option for it.
    public static TheoryData<string> Renamed =>
        RedisServer.IsReal ? ["HGETALL", "UNLINK", "SCAN", "EVAL", "EVALSHA", "SCRIPT", "EXEC", "PUBLISH", "SUBSCRIBE", ""] : [""];

    [Theory]
    [MemberData(nameof(Renamed))]
    public async Task A_command_that_is_renamed_or_disabled_is_a_problem(string command)
    {
        await using var server = command.Length == 0 ? await RedisServer.StartAsync() : await RedisServer.StartAsync("--rename-command", command, "");

        Assert.Equal(command.Length == 0 ? null : RedisProblem.Missing(command), await FindAsync(server.ConnectionString));
    }

    // Those that the gateway does without.
    [Fact]
    public async Task A_command_that_the_gateway_does_not_need_may_be_renamed()
    {
        string[] unneeded = ["KEYS", "FLUSHALL", "FLUSHDB", "CONFIG", "DEBUG", "SHUTDOWN"];
        await using var server = RedisServer.IsReal
            ? await RedisServer.StartAsync([.. unneeded.SelectMany(static command => (string[])["--rename-command", command, ""])])
            : await RedisServer.StartAsync();

        Assert.Null(await FindAsync(server.ConnectionString));
    }

    [Fact]
    public async Task F8_what_is_not_there_is_told_from_what_has_no_name()
    {
        Assert.Equal(RedisProblem.Refused, await FindAsync($"127.0.0.1:{FreePort.Find()},password={Secret}"));
        // No resolver asks a server for a name with an empty part, so it fails at once.
        Assert.Equal(RedisProblem.NameNotResolved, await FindAsync($"redis..invalid:6379,password={Secret}"));
    }

    [Fact]
    public async Task F8_a_server_that_is_silent_is_told_from_one_that_closes()
    {
        await using var silent = new StubTcpServer((_, ended) => Task.Delay(Timeout.Infinite, ended));
        await using var closing = new StubTcpServer((_, _) => Task.CompletedTask);
        string[] options = ["", ",ssl=true"];

        // Both at once, because each waits for its whole timeout.
        var found = await Task.WhenAll(options.Select(option => FindAsync($"127.0.0.1:{silent.Port}{option}")));

        Assert.All(found, static problem => Assert.Equal(RedisProblem.Silent, problem));
        foreach (var option in options) Assert.Equal(RedisProblem.Closed, await FindAsync($"127.0.0.1:{closing.Port}{option}"));
    }

    [Fact]
    public async Task F8_a_TLS_mismatch_is_told_in_both_directions_and_from_a_certificate_that_is_not_trusted()
    {
        using var certificate = CertificateOfLocalhost();
        await using var secured = new StubTcpServer(async (stream, ended) =>
        {
            await using var tls = new SslStream(stream);
            await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, ended);
            _ = await tls.ReadAsync(new byte[1024], ended);
        });

        Assert.Equal(RedisProblem.SpeaksNoTls, await FindAsync($"{redis.Embedded.ConnectionString},ssl=true"));
        Assert.Equal(RedisProblem.ExpectsTls, await FindAsync($"127.0.0.1:{secured.Port}"));
        var untrusted = await FindAsync($"127.0.0.1:{secured.Port},ssl=true");
        Assert.StartsWith("its certificate is not trusted (", untrusted?.Cause, StringComparison.Ordinal);
        Assert.Contains("NameMismatch", untrusted!.Cause, StringComparison.Ordinal);
        var named = await FindAsync($"127.0.0.1:{secured.Port},ssl=true,sslHost=localhost");
        Assert.DoesNotContain("NameMismatch", named!.Cause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task F8_a_slow_handshake_is_no_silence()
    {
        using var certificate = CertificateOfLocalhost();
        await using var slow = new StubTcpServer(async (stream, ended) =>
        {
            await Task.Delay(TimeSpan.FromSeconds(2), ended);
            await using var tls = new SslStream(stream);
            await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, ended);
            _ = await tls.ReadAsync(new byte[1024], ended);
        });
        var options = ConfigurationOptions.Parse($"127.0.0.1:{slow.Port},ssl=true");

        var probe = new RedisProbe(options, "probe-tests:", TimeSpan.FromSeconds(1)) { HandshakeTimeout = Eventually.Limit };
        var problem = await probe.FindAsync(TestContext.Current.CancellationToken);

        Assert.StartsWith("its certificate is not trusted (", problem?.Cause, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("redis.example:6380", "127.0.0.1", "redis.example")]
    [InlineData("redis.example:6380,redis.example:6381", "127.0.0.1", "redis.example")]
    [InlineData("redis.example:6380", "localhost", "localhost")]
    [InlineData("a.example:6380,b.example:6380", "127.0.0.1", "")]
    [InlineData("a.example:6380,b.example:6380", "localhost", "localhost")]
    [InlineData("redis.example:6380,sslHost=redis.internal", "127.0.0.1", "redis.internal")]
    [InlineData("redis.example:6380,sslHost=redis.internal", "localhost", "redis.internal")]
    public async Task F8_a_node_of_a_cluster_is_examined_under_the_name_that_the_client_verifies(string connectionString, string node, string name)
    {
        using var certificate = CertificateOfLocalhost();
        var asked = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new StubTcpServer(async (stream, ended) =>
        {
            await using var tls = new SslStream(stream);
            await tls.AuthenticateAsServerAsync(
                (_, hello, _, _) =>
                {
                    asked.TrySetResult(hello.ServerName);
                    return ValueTask.FromResult(new SslServerAuthenticationOptions { ServerCertificate = certificate });
                },
                null,
                ended);
        });
        EndPoint endPoint = IPAddress.TryParse(node, out var address) ? new IPEndPoint(address, server.Port) : new DnsEndPoint(node, server.Port);

        var probe = new RedisProbe(ConfigurationOptions.Parse($"{connectionString},ssl=true"), "probe-tests:", s_timeout);
        await probe.FindAsync([endPoint], TestContext.Current.CancellationToken);

        Assert.Equal(name, await asked.Task);
    }

    [Fact]
    public async Task F8_one_node_that_works_is_enough() =>
        Assert.Null(await FindAsync($"127.0.0.1:{FreePort.Find()},{redis.Embedded.ConnectionString}"));

    [Fact]
    public void F8_the_documentation_lists_every_cause_with_its_remedy()
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "troubleshooting.md"));
        var fixedOnes = typeof(RedisProblem).GetProperties(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
            .Where(property => property.PropertyType == typeof(RedisProblem))
            .Select(property => (RedisProblem)property.GetValue(null)!);

        Assert.All(
            [.. fixedOnes, RedisProblem.Certificate("…"), RedisProblem.Denied("…"), RedisProblem.Missing("…"), RedisProblem.NoDatabase("…"),
                RedisProblem.OfError("DENIED", "…")!],
            problem => Assert.Contains($"| {problem.Cause} | {problem.Remedy} |", page, StringComparison.Ordinal));
    }

    private static X509Certificate2 CertificateOfLocalhost()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private static async Task<RedisProblem?> FindAsync(string connectionString)
    {
        var problem = await new RedisProbe(ConfigurationOptions.Parse(connectionString), "probe-tests:", s_timeout)
            .FindAsync(TestContext.Current.CancellationToken);
        Assert.DoesNotContain(Secret, problem?.ToString() ?? "", StringComparison.Ordinal);
        return problem;
    }

    public sealed class Redis : IAsyncLifetime
    {
        public EmbeddedRedis Embedded { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Embedded = await EmbeddedRedis.StartAsync();

        public ValueTask DisposeAsync() => Embedded.DisposeAsync();
    }
}
