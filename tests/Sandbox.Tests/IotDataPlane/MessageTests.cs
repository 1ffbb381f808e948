using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;
using Sandbox.IotDataPlane;
using Testing;
using Xunit;
using static Sandbox.Tests.IotDataPlane.DataPlane;

namespace Sandbox.Tests.IotDataPlane;

public sealed class MessageTests(DataPlane shared) : IClassFixture<DataPlane>
{
    [Theory]
    [InlineData("o-acme/#", 1)]
    [InlineData("o-acme/+/telemetry", 1)]
    [InlineData("$aws/things/o-acme-x/shadow/#", 1)]
    [InlineData("o-globex/#", 128)]
    [InlineData("#", 128)]
    [InlineData("+/sensor/telemetry", 128)]
    [InlineData("$aws/things/o-globex-x/shadow/#", 128)]
    [InlineData("$aws/things/+/shadow/#", 128)]
    [InlineData("$share/o-acme/o-globex/#", 128)]
    [InlineData("$share/g/o-acme/#", 128)]
    [InlineData("o-acme/1/2/3/4/5/6/7", 1)]
    [InlineData("o-acme/1/2/3/4/5/6/7/8", 128)]
    public async Task A_filter_is_granted_by_the_policy_that_ships(string filter, int code)
    {
        foreach (var version in new[] { MqttProtocolVersion.V311, MqttProtocolVersion.V500 })
        {
            await using var client = await MqttTestClient.ConnectAsync(
                shared.Endpoint, shared.Shipped("o-acme"), $"o-acme-web-{Guid.NewGuid():N}", version);

            var granted = Assert.Single(await client.SubscribeAsync(filter));

            if (version == MqttProtocolVersion.V311) Assert.Equal(code, granted);
            else Assert.Equal(code < 128, granted < 128);
        }
    }

    [Theory]
    [InlineData("a", true)]
    [InlineData("a/+/#", true)]
    [InlineData("+/+", true)]
    [InlineData("", false)]
    [InlineData("a/#/b", false)]
    [InlineData("a/x+", false)]
    [InlineData("a/x#", false)]
    [InlineData("$aws/things/t/shadow/name/n/update/accepted", true)]
    [InlineData("$aws/1/2/3/4/5/6/7/8/9/10", true)]
    [InlineData("$aws/1/2/3/4/5/6/7/8/9/10/11", false)]
    public void A_filter_has_MQTTs_grammar_and_AWSs_limits(string filter, bool isFilter)
    {
        Assert.Equal(isFilter, MqttTopics.IsFilter(filter));
        Assert.Equal(isFilter, MqttTopics.Shared($"$share/g/{filter}") is not null);
        Assert.Equal(isFilter && filter.AsSpan().IndexOfAny("+#") < 0, MqttTopics.IsTopic(filter));
        Assert.Null(MqttTopics.Shared($"$share/g+/{filter}"));
    }

    [Fact]
    public async Task The_codes_of_a_SUBACK_are_in_the_order_of_the_filters()
    {
        await using var client = await MqttTestClient.ConnectAsync(shared.Endpoint, shared.Owner("order"), "order");

        var codes = await client.SubscribeAsync(
            ("order/0", MqttQualityOfServiceLevel.AtMostOnce),
            ("other/1", MqttQualityOfServiceLevel.AtLeastOnce),
            ("order/2", MqttQualityOfServiceLevel.ExactlyOnce));

        Assert.Equal([0, 128, 1], codes);
    }

    public static TheoryData<string, string, bool, MqttQualityOfServiceLevel, MqttClientDisconnectReason> RefusedMessages => new()
    {
        { "another's topic", "o-globex/x", false, MqttQualityOfServiceLevel.AtLeastOnce, MqttClientDisconnectReason.NotAuthorized },
        { "quality 0", "o-globex/x", false, MqttQualityOfServiceLevel.AtMostOnce, MqttClientDisconnectReason.NotAuthorized },
        { "retained without the permission", "o-acme/x", true, MqttQualityOfServiceLevel.AtLeastOnce, MqttClientDisconnectReason.NotAuthorized },
        { "quality 2", "o-acme/x", false, MqttQualityOfServiceLevel.ExactlyOnce, MqttClientDisconnectReason.QosNotSupported },
        { "too many levels", "o-acme/1/2/3/4/5/6/7/8", false, MqttQualityOfServiceLevel.AtLeastOnce, MqttClientDisconnectReason.TopicNameInvalid },
        {
            "AWS's to publish", "$aws/things/o-acme-x/shadow/update/accepted", false, MqttQualityOfServiceLevel.AtLeastOnce,
            MqttClientDisconnectReason.TopicNameInvalid
        },
    };

    [Theory]
    [MemberData(nameof(RefusedMessages))]
    public async Task A_refused_message_ends_the_connection(
        string kind, string topic, bool retain, MqttQualityOfServiceLevel quality, MqttClientDisconnectReason reason)
    {
        foreach (var version in new[] { MqttProtocolVersion.V311, MqttProtocolVersion.V500 })
        {
            await using var client = await MqttTestClient.ConnectAsync(
                shared.Endpoint, shared.Shipped("o-acme"), $"o-acme-web-{Guid.NewGuid():N}", version);

            await client.PublishAsync(topic, retain: retain, quality: quality);

            var goodbye = await client.DisconnectedAsync();
            Assert.True(version == MqttProtocolVersion.V311 || goodbye.Reason == reason, $"{kind}: {goodbye.Reason}");
        }
    }

    [Fact]
    public async Task A_message_is_received_only_where_the_policy_lets_it()
    {
        var policy = Policy(
            Allow("iot:Connect", "client/half"),
            Allow("iot:Subscribe", "topicfilter/half/#"),
            Allow("iot:Receive", "topic/half/open/*"),
            Deny("iot:Receive", "topic/half/open/closed"));
        await using var receiver = await MqttTestClient.ConnectAsync(shared.Endpoint, shared.Session(policy), "half");
        await using var sender = await MqttTestClient.ConnectAsync(shared.Endpoint, shared.Owner("half"), "half-sender");
        Assert.True(await sender.PublishAsync("half/kept", "retained", retain: true));
        Assert.Equal([1], await receiver.SubscribeAsync("half/#"));

        foreach (var topic in new[] { "half/hidden", "half/open/closed", "half/open/x" }) Assert.True(await sender.PublishAsync(topic));

        Assert.Equal("half/open/x", (await receiver.ReceiveAsync()).Topic);
        Assert.Empty(receiver.ReceivedTopics());
    }

    [Fact]
    public async Task A_retained_message_waits_for_subscribers_until_an_empty_one_removes_it()
    {
        await using var sender = await MqttTestClient.ConnectAsync(shared.Endpoint, shared.Owner("keep"), "keep-1");
        Assert.True(await sender.PublishAsync("keep/state", "on", retain: true));

        await using var receiver = await MqttTestClient.ConnectAsync(shared.Endpoint, shared.Owner("keep"), "keep-2");
        await receiver.SubscribeAsync("keep/#");
        Assert.Equal(("keep/state", "on"), await receiver.ReceiveAsync());

        Assert.True(await sender.PublishAsync("keep/state", "", retain: true));
        await using var late = await MqttTestClient.ConnectAsync(shared.Endpoint, shared.Owner("keep"), "keep-3");
        await late.SubscribeAsync("keep/#");
        Assert.True(await sender.PublishAsync("keep/end"));
        Assert.Equal("keep/end", (await late.ReceiveAsync()).Topic);
    }

    [Fact]
    public async Task Members_of_a_shared_subscription_take_turns()
    {
        await using var one = await MqttTestClient.ConnectAsync(shared.Endpoint, shared.Owner("turn"), "turn-1");
        await using var two = await MqttTestClient.ConnectAsync(shared.Endpoint, shared.Owner("turn"), "turn-2", MqttProtocolVersion.V500);
        foreach (var client in new[] { one, two }) Assert.Equal([1], await client.SubscribeAsync("$share/g/turn/#"));

        for (var number = 0; number < 4; number++) Assert.True(await one.PublishAsync($"turn/{number}"));

        string[] first = [(await one.ReceiveAsync()).Topic, (await one.ReceiveAsync()).Topic];
        string[] second = [(await two.ReceiveAsync()).Topic, (await two.ReceiveAsync()).Topic];
        Assert.Equal(["turn/0", "turn/1", "turn/2", "turn/3"], first.Concat(second).Order());

        await two.UnsubscribeAsync("$share/g/turn/#");
        for (var number = 4; number < 6; number++) Assert.True(await two.PublishAsync($"turn/{number}"));
        Assert.Equal(["turn/4", "turn/5"], [(await one.ReceiveAsync()).Topic, (await one.ReceiveAsync()).Topic]);
    }

    [Theory]
    [InlineData("will/last", true)]
    [InlineData("other/last", false)]
    public async Task A_last_will_is_published_if_the_policy_lets_the_client(string topic, bool isPublished)
    {
        var watcher = shared.Session(Policy(Allow("iot:Connect", "client/watcher*"), Allow("iot:Subscribe iot:Receive iot:Publish", "*")));
        await using var receiver = await MqttTestClient.ConnectAsync(shared.Endpoint, watcher, $"watcher{isPublished}");
        await receiver.SubscribeAsync("will/#", "other/#");
        var client = await MqttTestClient.ConnectAsync(
            shared.Endpoint, shared.Owner("will"), $"will-{isPublished}", change: options => options.WithWillTopic(topic).WithWillPayload("gone"));
        await client.SubscribeAsync("will/none");

        await client.DisposeAsync();

        if (isPublished)
        {
            Assert.Equal((topic, "gone"), await receiver.ReceiveAsync());
            return;
        }

        // A later client's will has arrived, so this one's never will.
        var later = await MqttTestClient.ConnectAsync(
            shared.Endpoint, shared.Owner("will"), "will-later", change: options => options.WithWillTopic("will/later"));
        await later.DisposeAsync();
        Assert.Equal("will/later", (await receiver.ReceiveAsync()).Topic);
    }

    [Fact]
    public async Task A_persistent_session_keeps_messages_and_subscriptions()
    {
        static void Persistent(MqttClientOptionsBuilder options) => options.WithCleanSession(false);
        var client = await MqttTestClient.ConnectAsync(shared.Endpoint, shared.Owner("stay"), "stay", change: Persistent);
        await client.SubscribeAsync("stay/#");
        await client.DisconnectAsync();
        await client.DisposeAsync();
        await using var sender = await MqttTestClient.ConnectAsync(shared.Endpoint, shared.Owner("stay"), "stay-sender");
        Assert.True(await sender.PublishAsync("stay/missed"));

        await using var back = await MqttTestClient.ConnectAsync(shared.Endpoint, shared.Owner("stay"), "stay", change: Persistent);

        Assert.True(back.Connected.IsSessionPresent);
        Assert.Equal("stay/missed", (await back.ReceiveAsync()).Topic);
        Assert.True(await sender.PublishAsync("stay/next"));
        Assert.Equal("stay/next", (await back.ReceiveAsync()).Topic);
    }

    [Fact]
    public async Task Accounts_and_regions_are_apart()
    {
        var everything = Policy("""{"Effect":"Allow","Action":"iot:*","Resource":"*"}""");
        var here = shared.Session(everything);
        var otherAccount = shared.Session(everything, "arn:aws:iam::444455556666:role/iot-organization");
        var otherRegion = shared.Aws.IssueRoleSession(Role, "test", TimeSpan.FromHours(1), everything, region: "eu-west-1");
        await using var receiver = await MqttTestClient.ConnectAsync(shared.Endpoint, here, "same");
        await using var second = await MqttTestClient.ConnectAsync(shared.Endpoint, otherAccount, "same");
        await using var third = await MqttTestClient.ConnectAsync(shared.Endpoint, otherRegion, "same", region: "eu-west-1");
        await receiver.SubscribeAsync("apart/#");

        Assert.True(await second.PublishAsync("apart/account"));
        Assert.True(await third.PublishAsync("apart/region"));
        Assert.True(await receiver.PublishAsync("apart/own"));

        Assert.Equal("apart/own", (await receiver.ReceiveAsync()).Topic);
    }

    [Theory]
    [InlineData(128 * 1024, true)]
    [InlineData((128 * 1024) + 1, false)]
    [InlineData(1024 * 1024, false)]
    public async Task A_payload_has_AWSs_limit(int length, bool isPublished)
    {
        await using var client = await MqttTestClient.ConnectAsync(shared.Endpoint, shared.Owner("large"), $"large-{length}");

        Assert.Equal(isPublished, await client.PublishAsync("large/x", new string('x', length)));
    }

    [Fact]
    public async Task A_client_has_50_subscriptions_and_8_in_one_request()
    {
        await using var client = await MqttTestClient.ConnectAsync(shared.Endpoint, shared.Owner("many"), "many");
        string[] filters = [.. Enumerable.Range(0, 51).Select(number => $"many/{number}")];
        foreach (var eight in filters[..50].Chunk(8)) Assert.All(await client.SubscribeAsync(eight), code => Assert.Equal(1, code));

        Assert.Equal([128, 1], await client.SubscribeAsync(filters[50], filters[0]));
        await client.UnsubscribeAsync(filters[0]);
        Assert.Equal([1], await client.SubscribeAsync(filters[50]));

        await Assert.ThrowsAnyAsync<Exception>(() => client.SubscribeAsync(filters[..9]));
        await client.DisconnectedAsync();
    }
}
