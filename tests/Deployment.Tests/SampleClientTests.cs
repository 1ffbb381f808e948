using System.Diagnostics;
using Amazon.Runtime;
using Amazon.SecurityToken;
using Amazon.SecurityToken.Model;
using IotClient;
using Testing;
using Xunit;

namespace Deployment.Tests;

/// <summary>The clients of <c>samples/</c>, and AWS's own, against the sandbox's parts and a gateway.</summary>
public sealed class SampleClientTests(SampleClients clients) : IClassFixture<SampleClients>
{
    private static readonly string[] s_samples = ["node", "python", "dotnet"];

    /// <summary>Responses of a proxy, a firewall or a hotel's page.</summary>
    private static readonly (int Status, string? RetryAfter, string Body)[] s_strange =
    [
        .. StrangeBodies.Credentials.Select(static body => (200, (string?)null, body)),
        .. StrangeBodies.Errors.SelectMany(static body => new[] { (403, (string?)null, body), (502, null, body) }),
        (401, null, "5"),
        (404, null, "null"),
        (503, "-1000", ""),
        (503, "soon", ""),
        (503, "Infinity", ""),
    ];

    public static TheoryData<string> Samples => [.. s_samples];

    // At once, because each waits for the ends of sessions.
    [Fact]
    public async Task Every_sample_follows_the_device_through_refusals_refreshes_and_a_restart_of_the_gateway_until_it_is_forbidden()
    {
        await using var runs = new Runs();
        foreach (var sample in s_samples)
        {
            var front = await GatewayFront.StartAsync(clients.Gateway);
            front.Refuse(503, "3");
            front.Refuse(429, "2");
            front.Refuse(502);
            var tokenFile = clients.TokenFile();
            runs.Add(new(SampleClients.Start(sample, clients.Environment(front.Url, tokenFile)), front, tokenFile));
        }

        await runs.EachAsync(async run =>
        {
            await run.Sample.PrintsAsync("503");
            await run.Sample.PrintsAsync("429");
            await run.Sample.PrintsAsync("502");
            await ConnectsAsync(run);
            await run.Sample.PrintsAsync("o-acme/web/o-acme-web-");
            // Credentials are renewed before they end, and the connection with them.
            await ConnectsAsync(run);
        });
        await clients.StopGatewayAsync();
        await runs.EachAsync(run => run.Sample.PrintsAsync("waiting"));
        await clients.StartGatewayAsync();
        await runs.EachAsync(ConnectsAsync);
        await runs.EachAsync(async run =>
        {
            File.Copy(clients.TokenFile("o-globex"), run.TokenFile, overwrite: true);
            await run.Sample.PrintsAsync("stopped: 403 Forbidden");
            Assert.Equal(1, await run.Sample.ExitCodeAsync());

            var responses = run.Front.Responses;
            Assert.Equal(403, responses[^1].Status);
            Assert.Single(responses, response => response.Status == 403);
            foreach (var (response, next) in responses.Zip(responses.Skip(1)).Where(pair => pair.First.RetryAfter is not null))
                Assert.True(next.Asked - response.Told >= TimeSpan.FromSeconds(response.RetryAfter!.Value), $"{response} then {next}");
        });

        static async Task ConnectsAsync(Run run)
        {
            await run.Sample.PrintsAsync("credentials until");
            await run.Sample.PrintsAsync("connected as o-acme-web-");
            await run.Sample.PrintsAsync(SampleClients.Telemetry);
        }
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public async Task A_sample_with_a_token_that_is_none_asks_once_and_says_what_to_do(string sample)
    {
        await using var front = await GatewayFront.StartAsync(clients.Gateway);
        var tokenFile = clients.TokenFile();
        File.WriteAllText(tokenFile, "none");
        await using var process = SampleClients.Start(sample, clients.Environment(front.Url, tokenFile));

        await process.PrintsAsync("stopped: 401 Unauthenticated: sign in again");

        Assert.Equal(1, await process.ExitCodeAsync());
        Assert.Equal([401], front.Responses.Select(static response => response.Status));
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public async Task A_sample_takes_a_response_that_is_not_the_gateways_by_its_status(string sample)
    {
        await Parallel.ForEachAsync(s_strange, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (strange, _) =>
        {
            var (status, retryAfter, body) = strange;
            await using var front = await GatewayFront.StartAsync(clients.Gateway);
            front.Refuse(status, retryAfter, body);
            await using var process = SampleClients.Start(sample, clients.Environment(front.Url, clients.TokenFile()));

            if (status is >= 400 and < 500 and not 429)
            {
                await process.PrintsAsync($"stopped: {status} ");
                Assert.Equal(1, await process.ExitCodeAsync());
                Assert.Equal([status], front.Responses.Select(static response => response.Status));
                return;
            }

            Assert.Matches(@"^waiting \d", await process.PrintsAsync("waiting"));
            await process.PrintsAsync("credentials until");
            Assert.Equal([status, 200], front.Responses.Take(2).Select(static response => response.Status));
        });
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public async Task A_sample_waits_for_a_day_at_most(string sample)
    {
        await using var front = await GatewayFront.StartAsync(clients.Gateway);
        front.Refuse(503, "100000000");
        await using var process = SampleClients.Start(sample, clients.Environment(front.Url, clients.TokenFile()));

        Assert.Matches(@"^waiting 8640\d", await process.PrintsAsync("waiting"));
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public async Task A_sample_that_the_broker_refuses_tries_again_with_new_credentials_and_prints_no_secret(string sample)
    {
        await using var front = await GatewayFront.StartAsync(clients.Gateway);
        var environment = clients.Environment(front.Url, clients.TokenFile());
        // Any server that is no broker.
        environment[clients.Iot.EnvironmentVariable.Key] = clients.Gateway;
        await using var process = SampleClients.Start(sample, environment);

        await process.PrintsAsync("reconnecting in");
        await process.PrintsAsync("credentials until");
        await process.PrintsAsync("reconnecting in");

        Assert.All(front.Responses, static response => Assert.Equal(200, response.Status));
    }

    // At once, because each waits for the limit of 15 seconds.
    [Fact]
    public async Task The_sample_for_dotnet_leaves_a_broker_that_falls_silent_at_any_step_and_connects_again()
    {
        await Task.WhenAll(new[] { SilentFrom.Handshake, SilentFrom.Connect, SilentFrom.Subscribe }.Select(async step =>
        {
            await using var broker = await SilentBroker.StartAsync(step);
            var environment = clients.Environment(clients.Gateway, clients.TokenFile());
            environment[clients.Iot.EnvironmentVariable.Key] = broker.Url;
            await using var process = SampleClients.Start("dotnet", environment);

            await process.PrintsAsync("reconnecting in");
            await process.PrintsAsync("credentials until");
            await Eventually.IsTrueAsync(() => broker.Connections > 1, () => $"{step}:\n{process.Output}");

            Assert.DoesNotContain("connected as", process.Output, StringComparison.Ordinal);
        }));
    }

    [Fact]
    public async Task The_SDK_for_dotnet_signs_with_the_credentials_of_the_sample()
    {
        await using var process = SampleClients.Start("dotnet", clients.Environment(clients.Gateway, clients.TokenFile()));

        await process.PrintsAsync("AWS knows this program as arn:aws:sts::111122223333:assumed-role/iot-organization/");
    }

    [Theory]
    [InlineData("credential_process")]
    [InlineData("container provider")]
    [InlineData("AWS SDK for .NET")]
    public async Task A_form_that_an_SDK_asks_again_does_not_ask_the_gateway_again_with_a_token_that_it_refused(string form)
    {
        await using var front = await GatewayFront.StartAsync(clients.Gateway);
        var tokenFile = clients.TokenFile("o-globex");
        await using var asked = await Form.StartAsync(form, clients.Environment(front.Url, tokenFile));
        await RefusedAsync(403);

        await File.WriteAllTextAsync(tokenFile, "none");
        await RefusedAsync(401);

        File.Copy(clients.TokenFile(), tokenFile, overwrite: true);
        Assert.Null(await asked.RefusalAsync());

        // The second is more than a second after the first, which no other limit holds back.
        async Task RefusedAsync(int status)
        {
            for (var times = 0; times < 3; times++) Assert.Contains($"{status} ", await asked.RefusalAsync(), StringComparison.Ordinal);
            Assert.Single(front.Responses, response => response.Status == status);
        }
    }

    // The gateway's request may last 15 seconds.
    [Theory]
    [InlineData("container provider")]
    [InlineData("AWS SDK for .NET")]
    public async Task A_form_that_an_SDK_asks_again_has_credentials_at_once_while_a_refresh_is_due_and_the_gateway_hangs(string form)
    {
        await using var front = await GatewayFront.StartAsync(clients.Gateway);
        // Its session is new, and has seconds left when the refresh is due.
        var organization = $"o-{Guid.NewGuid():N}"[..12];
        await using var asked = await Form.StartAsync(form, clients.Environment(front.Url, clients.TokenFile(organization), organization));
        Assert.Null(await asked.RefusalAsync());
        front.Hang();

        await Eventually.IsTrueAsync(async () =>
        {
            await HasCredentialsAtOnceAsync();
            return front.Hanging > 0;
        });
        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => HasCredentialsAtOnceAsync()));

        Assert.Equal(1, front.Hanging);
        front.GoOn();
        await Eventually.IsTrueAsync(() => front.Responses.Count == 2);

        async Task HasCredentialsAtOnceAsync()
        {
            var clock = Stopwatch.StartNew();
            Assert.Null(await asked.RefusalAsync());
            Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(4));
        }
    }

    [Fact]
    public async Task The_container_provider_says_within_seconds_that_it_has_no_credentials_while_the_gateway_hangs()
    {
        await using var front = await GatewayFront.StartAsync(clients.Gateway);
        await using var asked = await Form.StartAsync("container provider", clients.Environment(front.Url, clients.TokenFile()));
        front.Hang();
        var clock = Stopwatch.StartNew();

        var refusals = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => asked.RefusalAsync()));

        Assert.All(refusals, static refusal => Assert.Equal("the gateway has no credentials at the moment", refusal));
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(10));
        front.GoOn();
        await Eventually.IsTrueAsync(async () => await asked.RefusalAsync() is null);
    }

    // The sample for .NET takes a TimeProvider: the tests below move its time.
    [Theory]
    [InlineData("node")]
    [InlineData("python")]
    public async Task A_sample_whose_machine_sleeps_or_sets_its_clock_asks_the_gateway_for_the_time(string sample)
    {
        await clients.LengthenSessionsAsync();
        var clock = clients.NewFile("0");
        var preloaded = Path.Combine(Repository.Root, "tests", "Deployment.Tests", "tools", "clock");
        var environment = clients.LongEnvironment();
        environment["CLOCK_OFFSET"] = clock;
        environment["NODE_OPTIONS"] = $"--require={Path.Combine(preloaded, "clock.cjs")}";
        environment["PYTHONPATH"] = preloaded;
        await using var process = SampleClients.Start(sample, environment);
        await process.PrintsAsync("connected as");

        // A clock that is set forward is all that a process sees of sleep.
        foreach (var seconds in (string[])["-7200", "10800", "-3600"])
        {
            File.Move(clients.NewFile(seconds), clock, overwrite: true);
            // No refresh is due in an hour. It connects again, signed by the gateway's time.
            await process.PrintsAsync("credentials until");
            await process.PrintsAsync("connected as");
        }

        await process.PrintsAsync(SampleClients.LongTelemetry);
        Assert.DoesNotContain("reconnecting", process.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Credentials_are_renewed_by_the_gateways_time()
    {
        await clients.LengthenSessionsAsync();
        await using var front = await GatewayFront.StartAsync(clients.Gateway);
        var time = new TwoClocks();
        using var source = new CredentialSource(new Uri(front.Url), SampleClients.LongOrganization, clients.TokenFile(SampleClients.LongOrganization), time);
        await FetchesAsync(1);

        // Less than what is noticed, and without an effect on the renewal, 10 to 5 minutes ahead.
        time.Wall -= TimeSpan.FromSeconds(20);
        time.Pass(TimeSpan.FromMinutes(45));
        await FetchesAsync(1);
        time.Pass(TimeSpan.FromMinutes(11));
        await FetchesAsync(2);

        foreach (var (set, fetches) in new[] { (-2, 3), (3, 4), (-1, 5) })
        {
            // The gateway is asked once a second at most.
            time.Pass(TimeSpan.FromSeconds(2));
            time.Wall += TimeSpan.FromHours(set);
            await FetchesAsync(fetches);
            Assert.InRange(source.Now - DateTimeOffset.UtcNow, -Eventually.Limit, Eventually.Limit);
        }

        // A refresh ahead of the end is not waited for.
        async Task FetchesAsync(int fetches)
        {
            await source.GetAsync(CancellationToken.None);
            await Eventually.IsTrueAsync(() => front.Responses.Count >= fetches);
            Assert.Equal(fetches, front.Responses.Count);
        }
    }

    [Fact]
    public async Task An_AWS_SDK_has_no_credentials_longer_than_the_sample_when_the_clock_was_set_back()
    {
        await clients.LengthenSessionsAsync();
        await using var front = await GatewayFront.StartAsync(clients.Gateway);
        var time = new TwoClocks();
        using var source = new CredentialSource(new Uri(front.Url), SampleClients.LongOrganization, clients.TokenFile(SampleClients.LongOrganization), time);
        using var credentials = new GatewayCredentials(source, time);
        await credentials.GetCredentialsAsync();
        await credentials.GetCredentialsAsync();
        Assert.Single(front.Responses);

        time.Pass(TimeSpan.FromSeconds(2));
        time.Wall -= TimeSpan.FromHours(1);

        // The SDK's client notices within a second, by whatever way the source refreshes.
        await Eventually.IsTrueAsync(async () => await credentials.GetCredentialsAsync() is not null && front.Responses.Count == 2);
        var held = await credentials.GetCredentialsAsync();
        source.Expire();
        var refreshed = await source.GetAsync(CancellationToken.None);
        await Eventually.IsTrueAsync(async () => !ReferenceEquals(held, await credentials.GetCredentialsAsync()));
        Assert.Equal(refreshed.Credentials.AccessKeyId, (await credentials.GetCredentialsAsync()).AccessKey);
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public async Task A_proxy_sees_nothing_that_a_sample_sends_to_its_own_machine(string sample)
    {
        await using var proxy = new StubTcpServer("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
        var environment = clients.Environment(clients.Gateway, clients.TokenFile());
        foreach (var name in (string[])["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]) environment[name] = $"http://127.0.0.1:{proxy.Port}";
        await using var process = SampleClients.Start(sample, environment);

        await process.PrintsAsync("connected as");
        if (sample == "python")
        {
            var published = await Tool.RunAsync("python3", [SampleClients.Sample("python", "publish.py"), "o-acme/sensor/x", "{}"], environment);
            Assert.True(published.ExitCode == 0, published.All);
        }

        Assert.Empty(proxy.Received);
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public async Task No_sample_sends_a_token_or_credentials_in_plain_text_off_the_machine(string sample)
    {
        foreach (var address in (string[])["http://gateway.example.com", "http://127.0.0.1.example.com", "ftp://gateway.example.com"])
        {
            foreach (var variable in (string[])["GATEWAY_URL", clients.Iot.EnvironmentVariable.Key])
            {
                var environment = clients.Environment("https://127.0.0.1:1", clients.TokenFile());
                environment[variable] = address;
                await using var process = SampleClients.Start(sample, environment);

                await process.PrintsAsync($"{address}: only https takes a token or credentials off this machine");

                Assert.NotEqual(0, await process.ExitCodeAsync());
            }
        }
    }

    [Fact]
    public async Task G8_an_AWS_SDK_takes_credentials_by_credential_process()
    {
        await clients.LengthenSessionsAsync();
        var variables = clients.LongEnvironment();
        var settings = string.Join(' ', variables.Select(static variable => $"{variable.Key}='{variable.Value}'"));

        var credentials = new ProcessAWSCredentials($"env {settings} python3 {SampleClients.Sample("python", "credential_process.py")}");

        Assert.Contains("assumed-role/iot-organization/", await WhoAmIAsync(credentials), StringComparison.Ordinal);
    }

    [Fact]
    public async Task G8_credential_process_fails_with_the_reason_when_the_caller_is_no_member()
    {
        var result = await Tool.RunAsync(
            "python3", [SampleClients.Sample("python", "credential_process.py")], clients.Environment(clients.Gateway, clients.TokenFile("o-globex")));

        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Contains("403 Forbidden", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task G8_an_AWS_SDK_takes_credentials_from_the_container_provider_with_its_secret_only()
    {
        await clients.LengthenSessionsAsync();
        var address = $"http://127.0.0.1:{FreePort.Find()}/credentials";
        var secret = $"{Guid.NewGuid():N}";
        IssuedSecrets.Add(secret);
        await using var process = SampleProcess.Start(
            "python3",
            [SampleClients.Sample("python", "container_provider.py")],
            [
                .. clients.LongEnvironment(),
                new("AWS_CONTAINER_CREDENTIALS_FULL_URI", address),
                new("AWS_CONTAINER_AUTHORIZATION_TOKEN", secret),
            ]);
        await process.PrintsAsync("serving");

        using var stranger = await clients.World.Client.GetAsync(address);
        // The SDK reads this process's environment.
        Environment.SetEnvironmentVariable("AWS_CONTAINER_CREDENTIALS_FULL_URI", address);
        Environment.SetEnvironmentVariable("AWS_CONTAINER_AUTHORIZATION_TOKEN", secret);
        try
        {
            Assert.Contains("assumed-role/iot-organization/", await WhoAmIAsync(new GenericContainerCredentials()), StringComparison.Ordinal);
        }
        finally
        {
            Environment.SetEnvironmentVariable("AWS_CONTAINER_CREDENTIALS_FULL_URI", null);
            Environment.SetEnvironmentVariable("AWS_CONTAINER_AUTHORIZATION_TOKEN", null);
        }

        Assert.Equal(401, (int)stranger.StatusCode);
    }

    [Fact]
    public async Task A_message_published_by_HTTPS_arrives_over_MQTT()
    {
        // A message of quality 0 that is sent while its reader renews its connection is lost.
        await clients.LengthenSessionsAsync();
        await using var follower = SampleClients.Start("node", clients.LongEnvironment());
        await follower.PrintsAsync("connected as");

        var result = await Tool.RunAsync(
            "python3",
            [SampleClients.Sample("python", "publish.py"), "o-long/sensor/a b/ü", "{\"by\":\"https\"}"],
            clients.LongEnvironment());

        Assert.True(result.ExitCode == 0, result.All);
        await follower.PrintsAsync("o-long/sensor/a b/ü {\"by\":\"https\"}");
    }

    [Fact]
    public async Task AWS_own_device_SDK_connects_with_the_gateways_credentials()
    {
        var vended = await clients.LengthenSessionsAsync();

        var result = await Tool.RunAsync(
            "node",
            [Path.Combine(Repository.Root, "tests", "Deployment.Tests", "tools", "device-sdk.js")],
            new Dictionary<string, string>
            {
                ["AWS_REGION"] = vended.Data.GetProperty("awsRegion").GetString()!,
                ["AWS_ACCESS_KEY_ID"] = vended.AccessKeyId,
                ["AWS_SECRET_ACCESS_KEY"] = vended.Credentials.GetProperty("secretAccessKey").GetString()!,
                ["AWS_SESSION_TOKEN"] = vended.Credentials.GetProperty("sessionToken").GetString()!,
                ["ORGANIZATION_ID"] = SampleClients.LongOrganization,
                [clients.Iot.EnvironmentVariable.Key] = clients.Iot.EnvironmentVariable.Value,
            });

        Assert.True(result.ExitCode == 0, result.All);
        Assert.Contains("o-long/sensor/telemetry", result.Output, StringComparison.Ordinal);
    }

    private async Task<string> WhoAmIAsync(AWSCredentials credentials)
    {
        using var sts = new AmazonSecurityTokenServiceClient(
            credentials, new AmazonSecurityTokenServiceConfig { ServiceURL = clients.World.Aws.Url, AuthenticationRegion = "ap-northeast-1" });
        return (await sts.GetCallerIdentityAsync(new GetCallerIdentityRequest())).Arn;
    }

    /// <summary>The machine's two clocks: one is set, the other stands still while the machine sleeps.</summary>
    private sealed class TwoClocks : TimeProvider
    {
        private TimeSpan _steady;

        public TimeSpan Wall { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Wall;

        public override long GetTimestamp() => base.GetTimestamp() + (long)(_steady.TotalSeconds * TimestampFrequency);

        public void Pass(TimeSpan time) => (Wall, _steady) = (Wall + time, _steady + time);
    }

    private sealed record Run(SampleProcess Sample, GatewayFront Front, string TokenFile);

    private sealed class Runs : List<Run>, IAsyncDisposable
    {
        public Task EachAsync(Func<Run, Task> step) => Task.WhenAll(this.Select(step));

        public async ValueTask DisposeAsync()
        {
            foreach (var run in this)
            {
                await run.Sample.DisposeAsync();
                await run.Front.DisposeAsync();
            }
        }
    }
}
