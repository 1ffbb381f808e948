using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Vending;

/// <summary>Every source of the gateway's own credentials, in a process of its own, and what happens when it is rotated under load.</summary>
public sealed class CredentialSourceTests(ITestOutputHelper output)
{
    private const string Role = "arn:aws:iam::111122223333:role/gateway";
    internal const string Subject = "system:serviceaccount:iot:gateway";

    public static IEnumerable<TheoryDataRow<string, string, string>> Sources => Sample.Of<TheoryDataRow<string, string, string>>(3,
    [
        new("D11 IAM Identity Center", "AWS_PROFILE=dev AWS_ENDPOINT_URL_SSO=AGENT",
            "[profile dev]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = gateway\n"
                + "[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.awsapps.com/start\n"),
        new("D11 IAM Identity Center, as it was written before", "AWS_PROFILE=dev AWS_ENDPOINT_URL_SSO=AGENT",
            "[profile dev]\nsso_account_id = 111122223333\nsso_role_name = gateway\nsso_region = eu-west-1\nsso_start_url = https://corp.awsapps.com/start\n"),
        new("D11 a program", "AWS_PROFILE=dev", "[profile dev]\ncredential_process = sh FOLDER/process.sh\n"),
        new("D11 the default profile", "", "[default]\naws_access_key_id = KEY\naws_secret_access_key = SECRET\n"),
        new("a file of keys", "AWS_SHARED_CREDENTIALS_FILE=FOLDER/aws-config", "[default]\naws_access_key_id = KEY\naws_secret_access_key = SECRET\n"),
        new("D11 a chain of profiles", "AWS_PROFILE=dev",
            "[profile dev]\nrole_arn = ROLE\nsource_profile = base\n[profile base]\naws_access_key_id = KEY\naws_secret_access_key = SECRET\n"),
        new("D11 a role of the container's",
            "AWS_PROFILE=dev AWS_CONTAINER_CREDENTIALS_FULL_URI=AGENT/credentials AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=FOLDER/agent-token",
            "[profile dev]\nrole_arn = ROLE\ncredential_source = EcsContainer\n"),
        new("D11 a profile's web identity", "AWS_PROFILE=dev", "[profile dev]\nrole_arn = ROLE\nweb_identity_token_file = FOLDER/web-identity\n"),
        new("a web identity", "AWS_ROLE_ARN=ROLE AWS_WEB_IDENTITY_TOKEN_FILE=FOLDER/web-identity", "[default]\nregion = us-east-1\n"),
        new("a container", "AWS_CONTAINER_CREDENTIALS_FULL_URI=AGENT/credentials AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=FOLDER/agent-token", ""),
        // ECS names a path below an address that is not this machine's; FULL_URI is read by the same code.
        new("a task of ECS", "AWS_CONTAINER_CREDENTIALS_FULL_URI=AGENT/credentials AWS_CONTAINER_AUTHORIZATION_TOKEN=BEARER", ""),
        new("the instance metadata", "AWS_EC2_METADATA_SERVICE_ENDPOINT=AGENT", "[default]\nregion = us-east-1\n"),
    ]);

    [Theory]
    [MemberData(nameof(Sources))]
    public async Task D11_each_source_of_the_SDK_leads_to_a_session(string name, string variables, string config)
    {
        await using var world = await World.StartAsync();
        await using var agent = await CredentialAgent.StartAsync(world.Aws);
        await using var cluster = await OpenIdProvider.StartAsync();
        var (folder, environment) = Prepare(world, agent, cluster, variables, config);
        await using var gateway = await GatewayProcess.StartAsync(folder, environment);

        // The SDK gives up the instance metadata after a time of its own, which a busy machine can miss; the gateway looks again soon.
        await Eventually.IsTrueAsync(
            async () => (await world.Client.SendAsync(gateway.Url + Requests.CredentialsPath("o-acme"), world.Token("o-acme"))).Status == 200,
            () => $"{name}: {gateway.Output}");
    }

    public static IEnumerable<TheoryDataRow<string, string, string>> Rotated => Sample.Of<TheoryDataRow<string, string, string>>(1,
    [
        new("a web identity", "AWS_ROLE_ARN=ROLE AWS_WEB_IDENTITY_TOKEN_FILE=FOLDER/web-identity", ""),
        new("a container", "AWS_CONTAINER_CREDENTIALS_FULL_URI=AGENT/credentials AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=FOLDER/agent-token", ""),
        new("the instance metadata", "AWS_EC2_METADATA_SERVICE_ENDPOINT=AGENT", ""),
        new("a file of keys", "", "[default]\naws_access_key_id = KEY\naws_secret_access_key = SECRET\n"),
        new("Azure", "AZURE_POD_IDENTITY_AUTHORITY_HOST=AZURE", ""),
    ]);

    [Theory]
    [MemberData(nameof(Rotated))]
    public async Task A_source_is_rotated_and_fails_under_load_and_no_caller_does(string name, string variables, string config)
    {
        var rotations = Sample.Count(3, 20);
        await using var world = await World.StartAsync();
        await using var agent = await CredentialAgent.StartAsync(world.Aws);
        await using var cluster = await OpenIdProvider.StartAsync();
        await using var azure = await AzureEmulator.StartAsync();
        azure.LetIn(world.Aws);
        // The SDK takes a role's session for over a minute before its end, and that of the instance metadata when it has ended. The gateway renews Azure's.
        var isRenewedByTime = name is "the instance metadata" or "Azure";
        agent.Lifetime = TimeSpan.FromSeconds(isRenewedByTime ? 3 : 62);
        var granted = world.Aws.Inject(AwsFault.GrantOnly(agent.Lifetime), "AssumeRoleWithWebIdentity");
        var (folder, environment) = Prepare(
            world, agent, cluster, variables.Replace("AZURE", azure.Url, StringComparison.Ordinal).Replace($"{azure.Url}_", "AZURE_", StringComparison.Ordinal),
            config, settings =>
            {
                settings.Set("IotCredentials:Timeout", "\"00:00:30\"");
                if (name == "Azure")
                {
                    settings.Set(
                        "IotCredentials:AwsIdentity",
                        $$"""{ "Source": "Azure", "RoleArn": "{{AzureEmulator.RoleArn}}", "Audience": "{{AzureEmulator.Audience}}" }""");
                }
            });
        await using var gateway = await GatewayProcess.StartAsync(folder, environment);
        var (statuses, count, ended) = (new ConcurrentDictionary<int, int>(), 0, false);
        var warm = world.Token("o-warm");
        await Eventually.IsTrueAsync(
            async () => (await world.Client.SendAsync(gateway.Url + Requests.CredentialsPath("o-warm"), warm)).Status == 200, () => gateway.Output);
        var load = Enumerable.Range(0, 2).Select(_ => Task.Run(async () =>
        {
            while (!Volatile.Read(ref ended))
            {
                var cold = $"o-{Interlocked.Increment(ref count)}";
                foreach (var (organization, token) in ((string, string)[])[(cold, world.Token(cold)), ("o-warm", warm)])
                {
                    var answer = await world.Client.SendAsync(gateway.Url + Requests.CredentialsPath(organization), token);
                    statuses.AddOrUpdate(answer.Status, 1, (_, times) => times + 1);
                    if (answer.Status != 200) return;
                }
            }
        })).ToArray();

        var signers = new HashSet<string>();
        await NextSignerAsync();
        for (var rotation = 0; rotation < rotations; rotation++)
        {
            Rotate(world, agent, cluster, azure, folder, name, rotation);
            world.Aws.Calls.Clear();
            await NextSignerAsync();
            if (isRenewedByTime) continue;
            await SourceFailsAsync();
            agent.IsDown = false;
        }

        if (isRenewedByTime)
        {
            agent.Lifetime = TimeSpan.FromHours(1);
            granted.Dispose();
            await Eventually.IsTrueAsync(
                () => HasFailed() || Issued().Any(session => session.Expiration > DateTimeOffset.UtcNow.AddMinutes(30) && Signs(session)));
            await SourceFailsAsync();
        }

        Volatile.Write(ref ended, true);
        await Task.WhenAll(load);
        output.WriteLine($"{name}: {string.Join(", ", statuses.Select(status => $"{status.Value} times {status.Key}"))}, signed by {signers.Count} keys");
        if (HasFailed()) await Eventually.IsTrueAsync(() => gateway.Output.Contains("\"status\":503", StringComparison.Ordinal));
        Assert.True(!HasFailed(), string.Join('\n', gateway.Output.Split('\n')
            .Where(line => line.Contains(": 403", StringComparison.Ordinal)
                || line.Contains("AWS", StringComparison.Ordinal)
                || line.Contains("\"status\":503", StringComparison.Ordinal))
            .TakeLast(20)));
        Assert.True(signers.Count > rotations);

        bool Signs(AwsCredentials session) =>
            world.Aws.Calls.Count(call => call is { Action: "AssumeRole", Status: 200 } && call.AccessKeyId == session.AccessKeyId) > 0;

        bool HasFailed() => statuses.Keys.Any(status => status != 200);

        IEnumerable<AwsCredentials> Issued() => name == "Azure"
            ? world.Aws.Calls.Snapshot().Where(call => call.Action == "AssumeRoleWithWebIdentity").Select(call => call.Issued).OfType<AwsCredentials>()
            : agent.Issued;

        // The last result is good for a while.
        async Task SourceFailsAsync()
        {
            using var fault = world.Aws.Inject(AwsFault.HttpStatus(500), "AssumeRoleWithWebIdentity");
            agent.IsDown = true;
            var vended = Vends();
            await Eventually.IsTrueAsync(() => Vends() >= vended + 20 || HasFailed());
        }

        int Vends() => world.Aws.Calls.Count(call => call is { Action: "AssumeRole", Status: 200 });

        Task NextSignerAsync() => Eventually.IsTrueAsync(() =>
            HasFailed() || world.Aws.Calls.Snapshot().Where(call => call is { Action: "AssumeRole", Status: 200 }).Any(call => signers.Add(call.AccessKeyId)));
    }

    [Fact]
    public async Task D13_credentials_that_are_written_later_are_found_without_a_restart()
    {
        await using var world = await World.StartAsync();
        await using var agent = await CredentialAgent.StartAsync(world.Aws);
        await using var cluster = await OpenIdProvider.StartAsync();
        var (folder, environment) = Prepare(world, agent, cluster, "AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:1", "[default]\nregion = us-east-1\n");
        await using var gateway = await GatewayProcess.StartAsync(folder, environment);

        for (var i = 0; i < 3; i++) Assert.Equal(503, await VendAsync($"o-{i}"));
        folder.Write(
            "aws-config",
            $"[default]\naws_access_key_id = {world.Aws.BaseCredentials.AccessKeyId}\naws_secret_access_key = {world.Aws.BaseCredentials.SecretAccessKey}\n");

        await Eventually.IsTrueAsync(async () => await VendAsync("o-0") == 200, () => gateway.Output);
        foreach (var told in (string[])
            ["The gateway has no credentials that AWS accepts: no AWS credentials are configured", "AWS accepts the gateway's credentials again"])
            Assert.Single(gateway.Output.Split('\n'), line => line.Contains(told, StringComparison.Ordinal));

        async Task<int> VendAsync(string organization) =>
            (await world.Client.SendAsync(gateway.Url + Requests.CredentialsPath(organization), world.Token(organization))).Status;
    }

    private static void Rotate(
        World world, CredentialAgent agent, OpenIdProvider cluster, AzureEmulator azure, GatewayFolder folder, string name, int rotation)
    {
        if (name == "Azure") azure.RotateKeys();

        if (name == "a web identity")
        {
            cluster.RotateKeys();
            cluster.WithdrawOldKeys();
            folder.Write("web-identity", WebIdentity(cluster));
        }

        if (name == "a container")
        {
            // The one before is good until the next has long been read.
            agent.Token = agent.NextToken ?? agent.Token;
            agent.NextToken = CredentialAgent.NewToken();
            folder.Write("agent-token", agent.NextToken);
            // A session that is ended before its time.
            foreach (var session in agent.Issued) world.Aws.Revoke(session);
        }

        if (name == "a file of keys")
        {
            var old = rotation == 0 ? world.Aws.BaseCredentials.AccessKeyId : KeyOf(rotation - 1);
            var next = world.Aws.AddBaseCredentials(
                KeyOf(rotation), Convert.ToHexString(System.Security.Cryptography.RandomNumberGenerator.GetBytes(20)), "111122223333");
            folder.Write("aws-config", $"[default]\naws_access_key_id = {next.AccessKeyId}\naws_secret_access_key = {next.SecretAccessKey}\n");
            world.Aws.Revoke(next with { AccessKeyId = old });
        }

        static string KeyOf(int rotation) => $"AKIAIOSFODNN7ROTA{rotation:000}";
    }

    /// <summary>A folder with what sources name, and the variables that name them.</summary>
    internal static (GatewayFolder Folder, Dictionary<string, string> Environment) Prepare(
        World world, CredentialAgent agent, OpenIdProvider cluster, string variables, string config, Action<JsonObject>? change = null)
    {
        world.Aws.AddIdentityProvider("111122223333", cluster.Issuer, "sts.amazonaws.com");
        world.Aws.AddRole(new AwsRole(Role, WebIdentitySubject: Subject));
        var folder = world.Folder(settings =>
        {
            settings.WithoutRedis();
            change?.Invoke(settings);
        });
        var keys = world.Aws.BaseCredentials;
        folder.Write("agent-token", agent.Token);
        folder.Write("web-identity", WebIdentity(cluster));
        folder.Write("process.sh", $$"""echo '{"Version":1,"AccessKeyId":"{{keys.AccessKeyId}}","SecretAccessKey":"{{keys.SecretAccessKey}}"}'""");
        folder.Write("aws-config", Filled(config));
        Directory.CreateDirectory(Path.Combine(folder.Path, ".aws/sso/cache"));
        foreach (var session in (string[])["corp", "https://corp.awsapps.com/start"])
        {
#pragma warning disable CA5350 // AWS's own name for the file.
            folder.Write($".aws/sso/cache/{Convert.ToHexStringLower(SHA1.HashData(Encoding.UTF8.GetBytes(session)))}.json",
                $$"""{ "accessToken": "{{agent.Token}}", "expiresAt": "{{DateTime.UtcNow.AddHours(1):yyyy-MM-dd'T'HH:mm:ss'Z'}}", "region": "eu-west-1","""
                    + """ "startUrl": "https://corp.awsapps.com/start" }""");
#pragma warning restore CA5350
        }

        var environment = Filled(variables)
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(variable => variable.Split('=', 2))
            .ToDictionary(variable => variable[0], variable => variable[1]);
        environment["HOME"] = folder.Path;
        environment["AWS_CONFIG_FILE"] = Path.Combine(folder.Path, "aws-config");
        environment["AWS_REGION"] = "ap-northeast-1";
        environment.TryAdd("AWS_ENDPOINT_URL_STS", world.Aws.Url);
        environment.TryAdd("AWS_ENDPOINT_URL_IOT", world.Aws.Url);
        return (folder, environment);

        string Filled(string text) => text.Replace("BEARER", agent.Token, StringComparison.Ordinal)
            .Replace("AGENT", agent.Url, StringComparison.Ordinal).Replace("FOLDER", folder.Path, StringComparison.Ordinal)
            .Replace("ROLE_", "\0", StringComparison.Ordinal).Replace("ROLE", Role, StringComparison.Ordinal).Replace("\0", "ROLE_", StringComparison.Ordinal)
            .Replace(" KEY", $" {keys.AccessKeyId}", StringComparison.Ordinal).Replace("SECRET\n", $"{keys.SecretAccessKey}\n", StringComparison.Ordinal);
    }

    internal static string WebIdentity(OpenIdProvider cluster) => cluster.Issue(new TokenRequest { Subject = Subject, Audiences = ["sts.amazonaws.com"] });
}
