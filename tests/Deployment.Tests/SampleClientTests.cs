using Amazon.Runtime;
using Amazon.SecurityToken;
using Amazon.SecurityToken.Model;
using Testing;
using Xunit;

namespace Deployment.Tests;

/// <summary>The clients of <c>samples/</c>, and AWS's own, against the sandbox's parts and a gateway.</summary>
public sealed class SampleClientTests(SampleClients clients) : IClassFixture<SampleClients>
{
    private static readonly string[] s_samples = ["node", "python", "dotnet"];

    public static TheoryData<string> Samples => [.. s_samples];

    // At once, because each waits for the ends of sessions.
    [Fact]
    public async Task Every_sample_follows_the_device_through_refusals_refreshes_and_a_restart_of_the_gateway_until_it_is_forbidden()
    {
        await using var runs = new Runs();
        foreach (var sample in s_samples)
        {
            var front = await GatewayFront.StartAsync(clients.Gateway);
            front.Refuse((503, 3), (429, 2), (502, null));
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

    [Fact]
    public async Task The_SDK_for_dotnet_signs_with_the_credentials_of_the_sample()
    {
        await using var process = SampleClients.Start("dotnet", clients.Environment(clients.Gateway, clients.TokenFile()));

        await process.PrintsAsync("AWS knows this program as arn:aws:sts::111122223333:assumed-role/iot-organization/");
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
                ["AWS_REGION"] = vended.Json.GetProperty("data").GetProperty("awsRegion").GetString()!,
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
