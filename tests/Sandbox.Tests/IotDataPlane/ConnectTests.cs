using System.Net.WebSockets;
using Amazon.Runtime;
using Amazon.SecurityToken;
using Amazon.SecurityToken.Model;
using Microsoft.Extensions.Time.Testing;
using MQTTnet;
using MQTTnet.Formatter;
using Sandbox.IotDataPlane;
using Testing;
using Xunit;

namespace Sandbox.Tests.IotDataPlane;

public sealed class ConnectTests(DataPlane shared) : IClassFixture<DataPlane>
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(MqttProtocolVersion.V311)]
    [InlineData(MqttProtocolVersion.V500)]
    public async Task A_signed_client_connects_subscribes_and_receives_what_it_publishes(MqttProtocolVersion version)
    {
        var name = $"o-{version}";
        await using var client = await MqttTestClient.ConnectAsync(shared.Endpoint, shared.Shipped(name), $"{name}-web-1", version);

        Assert.Equal(MqttClientConnectResultCode.Success, client.Connected.ResultCode);
        Assert.Equal([1], await client.SubscribeAsync($"{name}/#"));
        Assert.True(await client.PublishAsync($"{name}/telemetry", "21"));
        Assert.Equal(($"{name}/telemetry", "21"), await client.ReceiveAsync());
    }

    public static TheoryData<string, int> Signatures => new()
    {
        { "good", 101 },
        { "expires in a day", 101 },
        { "expires too late", 403 },
        { "4 minutes old", 101 },
        { "4 minutes early", 101 },
        { "expired", 403 },
        { "expires in a minute", 403 },
        { "of the future", 403 },
        { "wrong service", 403 },
        { "wrong region", 403 },
        { "wrong partition", 403 },
        { "wrong secret", 403 },
        { "wrong host", 403 },
        { "host not signed", 403 },
        { "no token", 403 },
        { "another session's token", 403 },
        { "token signed", 403 },
        { "unknown key", 403 },
        { "revoked", 403 },
        { "credentials expired", 403 },
        { "base key", 403 },
        { "unsigned", 403 },
        { "parameter twice", 403 },
        { "another endpoint's name", 403 },
        { "own endpoint's name", 101 },
        { "no subprotocol", 400 },
    };

    [Theory]
    [MemberData(nameof(Signatures))]
    public async Task A_signature_is_judged_before_the_upgrade(string kind, int status)
    {
        var session = shared.Shipped("o-acme");
        var other = shared.Shipped("o-globex");
        var good = new PresignedUrl(shared.Endpoint.MqttUrl, session);
        var name = AwsEmulator.IotEndpoint("111122223333", kind == "own endpoint's name" ? "ap-northeast-1" : "eu-west-1");
        var url = kind switch
        {
            "expires in a day" => (good with { Expires = "86400", At = DateTimeOffset.UtcNow.AddHours(-20) }).ToString(),
            "expires too late" => (good with { Expires = "604801" }).ToString(),
            "4 minutes old" => (good with { At = DateTimeOffset.UtcNow.AddMinutes(-4) }).ToString(),
            "4 minutes early" => (good with { At = DateTimeOffset.UtcNow.AddMinutes(4) }).ToString(),
            "expired" => (good with { At = DateTimeOffset.UtcNow.AddMinutes(-6) }).ToString(),
            "expires in a minute" => (good with { Expires = "60", At = DateTimeOffset.UtcNow.AddMinutes(-2) }).ToString(),
            // The tests before it may take a minute.
            "of the future" => (good with { At = DateTimeOffset.UtcNow.AddMinutes(10) }).ToString(),
            "wrong service" => (good with { Service = "iotdata" }).ToString(),
            "wrong region" => (good with { Region = "eu-west-1" }).ToString(),
            "wrong partition" => (good with { Region = "cn-north-1" }).ToString(),
            "wrong secret" => (good with { Credentials = session with { SecretAccessKey = other.SecretAccessKey } }).ToString(),
            "wrong host" => (good with { Host = "localhost" }).ToString(),
            "host not signed" => (good with { SignedHeaders = "date" }).ToString(),
            "no token" => (good with { Credentials = session with { SessionToken = null } }).ToString(),
            "another session's token" => (good with { Credentials = session with { SessionToken = other.SessionToken } }).ToString(),
            "token signed" => (good with { SignsToken = true }).ToString(),
            "unknown key" => (good with { Credentials = session with { AccessKeyId = "ASIAAAAAAAAAAAAAAAAA" } }).ToString(),
            "base key" => (good with { Credentials = shared.Aws.BaseCredentials }).ToString(),
            "credentials expired" => (good with { Credentials = shared.Aws.IssueRoleSession(DataPlane.Role, "test", TimeSpan.Zero) }).ToString(),
            "unsigned" => shared.Endpoint.MqttUrl,
            "parameter twice" => $"{good}&X-Amz-Date=20200101T000000Z",
            "another endpoint's name" or "own endpoint's name" => (good with { Host = name }).ToString(),
            _ => good.ToString(),
        };
        if (kind == "revoked") shared.Aws.Revoke(session);
        using var socket = new ClientWebSocket();
        if (kind != "no subprotocol") socket.Options.AddSubProtocol("mqtt");
        if (kind.EndsWith("endpoint's name", StringComparison.Ordinal)) socket.Options.SetRequestHeader("Host", name);
        // A page of another origin connects, too.
        socket.Options.SetRequestHeader("Origin", "https://app.example.com");
        socket.Options.CollectHttpResponseDetails = true;

        var failure = await Record.ExceptionAsync(() => socket.ConnectAsync(new Uri(url), Cancelled));

        Assert.Equal((status, status == 101), ((int)socket.HttpStatusCode, failure is null));
        Assert.Equal(status == 101 ? "mqtt" : null, socket.SubProtocol);
    }

    [Theory]
    [InlineData(MqttProtocolVersion.V311)]
    [InlineData(MqttProtocolVersion.V500)]
    public async Task A_client_id_beyond_the_policy_is_not_authorized(MqttProtocolVersion version)
    {
        var session = shared.Shipped("o-acme");

        foreach (var id in new[] { "o-globex-web-1", "o-acme", "o-acme-a-24e124148b323456" })
        {
            await using var client = await MqttTestClient.ConnectAsync(shared.Endpoint, session, id, version);
            Assert.Equal(MqttClientConnectResultCode.NotAuthorized, client.Connected.ResultCode);
        }
    }

    [Fact]
    public async Task A_client_id_that_connects_again_disconnects_the_older_connection()
    {
        await using var first = await MqttTestClient.ConnectAsync(shared.Endpoint, shared.Shipped("o-twice"), "o-twice-web-1", MqttProtocolVersion.V500);
        await using var second = await MqttTestClient.ConnectAsync(shared.Endpoint, shared.Shipped("o-twice"), "o-twice-web-1", MqttProtocolVersion.V500);

        var goodbye = await first.DisconnectedAsync();

        Assert.Equal(MqttClientDisconnectReason.SessionTakenOver, goodbye.Reason);
        Assert.Equal([1], await second.SubscribeAsync("o-twice/#"));
        Assert.True(await second.PublishAsync("o-twice/x"));
        Assert.Equal("o-twice/x", (await second.ReceiveAsync()).Topic);
    }

    [Fact]
    public async Task A_client_that_has_just_left_can_come_back()
    {
        for (var time = 0; time < 100; time++)
        {
            await using var client = await MqttTestClient.ConnectAsync(shared.Endpoint, shared.Shipped("o-back"), "o-back-web-1");

            Assert.Equal([1], await client.SubscribeAsync("o-back/#"));
        }
    }

    [Fact]
    public async Task A_connection_ends_when_its_credentials_expire()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var aws = await AwsEmulator.StartAsync(time: time);
        aws.CheckSignatureDate = false;
        await using var endpoint = await IotDataEndpoint.StartAsync(aws);
        await using var client = await MqttTestClient.ConnectAsync(
            endpoint, aws.IssueRoleSession(DataPlane.Role, "test", TimeSpan.FromMinutes(15)), "any");

        time.Advance(TimeSpan.FromMinutes(14));
        Assert.Equal([1], await client.SubscribeAsync("any/#"));
        time.Advance(TimeSpan.FromMinutes(1));

        await client.DisconnectedAsync();
    }

    [Fact]
    public async Task A_session_that_AssumeRole_granted_has_its_policy_tags_and_region()
    {
        using var sts = new AmazonSecurityTokenServiceClient(
            new BasicAWSCredentials(shared.Aws.BaseCredentials.AccessKeyId, shared.Aws.BaseCredentials.SecretAccessKey),
            new AmazonSecurityTokenServiceConfig { ServiceURL = shared.Aws.Url, AuthenticationRegion = "eu-west-1" });
        var granted = await sts.AssumeRoleAsync(
            new AssumeRoleRequest
            {
                RoleArn = DataPlane.Role,
                RoleSessionName = "test",
                Policy = DataPlane.Policy(DataPlane.Allow("iot:Connect", "arn:aws:iot:eu-west-1:111122223333:client/${aws:PrincipalTag/organizationId}-*")),
                Tags = [new Tag { Key = "organizationId", Value = "o-acme" }],
            },
            Cancelled);
        var session = shared.Aws.FindSession(granted.Credentials.AccessKeyId)!.Credentials;

        foreach (var (id, isConnected) in new[] { ("o-acme-1", true), ("o-globex-1", false) })
        {
            await using var client = await MqttTestClient.ConnectAsync(shared.Endpoint, session, id, region: "eu-west-1");
            Assert.Equal(isConnected, client.Connected.ResultCode == MqttClientConnectResultCode.Success);
        }
    }

    [Fact]
    public async Task A_roles_own_policy_narrows_its_sessions()
    {
        const string role = "arn:aws:iam::111122223333:role/narrow";
        shared.Aws.AddRole(new AwsRole(role, Policy: DataPlane.Policy(DataPlane.Allow("iot:*", "client/narrow", "topicfilter/narrow/*"))));
        var session = shared.Session(DataPlane.Policy(DataPlane.Allow("iot:*", "*")), role);

        await using var client = await MqttTestClient.ConnectAsync(shared.Endpoint, session, "narrow");
        await using var other = await MqttTestClient.ConnectAsync(shared.Endpoint, session, "wide");

        Assert.Equal(MqttClientConnectResultCode.NotAuthorized, other.Connected.ResultCode);
        Assert.Equal([1, 128], await client.SubscribeAsync("narrow/#", "wide/#"));
    }

    [Fact]
    public async Task The_endpoint_ends_with_its_connections_open()
    {
        await using var aws = await AwsEmulator.StartAsync();
        var endpoint = await IotDataEndpoint.StartAsync(aws, organizations: "o-acme");
        var session = aws.IssueRoleSession(DataPlane.Role, "test", TimeSpan.FromHours(1));
        await using var client = await MqttTestClient.ConnectAsync(endpoint, session, "any");
        await client.SubscribeAsync("#");

        await endpoint.DisposeAsync();

        await client.DisconnectedAsync();
    }
}
