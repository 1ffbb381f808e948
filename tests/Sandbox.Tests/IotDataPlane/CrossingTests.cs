using System.Net;
using MQTTnet;
using Testing;
using Xunit;

namespace Sandbox.Tests.IotDataPlane;

/// <summary>The ways from one organization to another that the rules of session policies close: with a template that is refused, each can be taken.</summary>
public sealed class CrossingTests(DataPlane shared) : IClassFixture<DataPlane>
{
    private static readonly HttpClient s_client = new();

    public static TheoryData<int, string> Ways => new(UnsafeTemplate.All.Select((template, index) => (index, $"{template.Code} {template.Way}")));

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_refused_template_is_a_way_that_the_shipped_one_is_not(int index, string way)
    {
        var template = UnsafeTemplate.All[index];
        var shipped = File.ReadAllText(Path.Combine(Repository.Root, "appsettings/policies/organization.json"));

        Assert.True(await CrossesAsync(template, template.Render), $"{way} is closed");
        Assert.False(await CrossesAsync(template, id => UnsafeTemplate.Rendered(shipped, id)), $"{way} is open without it");
    }

    private async Task<bool> CrossesAsync(UnsafeTemplate template, Func<string, string> render)
    {
        var (from, to) = (shared.Session(render(template.From)), shared.Session(render(template.To)));
        if (template.Way == Crossing.Connect)
        {
            await using var owner = await MqttTestClient.ConnectAsync(shared.Endpoint, to, template.Name);
            await using var intruder = await MqttTestClient.ConnectAsync(shared.Endpoint, from, template.Name);
            if (intruder.Connected.ResultCode != MqttClientConnectResultCode.Success) return false;
            await owner.DisconnectedAsync();
            return true;
        }

        if (template.Way == Crossing.Shadow)
            return await GetAsync($"/things/{template.Name}/shadow", from) is HttpStatusCode.OK or HttpStatusCode.NotFound;

        await using var reaching = await MqttTestClient.ConnectAsync(shared.Endpoint, from, $"{template.From}-web-1");
        await using var reached = await MqttTestClient.ConnectAsync(shared.Endpoint, to, $"{template.To}-web-2");
        switch (template.Way)
        {
            case Crossing.Retained:
                return await reached.PublishAsync(template.Name, "kept", retain: true)
                    && await GetAsync($"/retainedMessage/{Uri.EscapeDataString(template.Name)}", from) == HttpStatusCode.OK;
            case Crossing.BasicIngest:
                return await reaching.PublishAsync(template.Name);
            default:
                var (publisher, receiver) = template.Way == Crossing.Publish ? (reaching, reached) : (reached, reaching);
                if (await receiver.SubscribeAsync(template.Filter ?? template.Name) is not [1] || !await publisher.PublishAsync(template.Name)) return false;
                Assert.Equal(template.Name, (await receiver.ReceiveAsync()).Topic);
                return true;
        }
    }

    private async Task<HttpStatusCode> GetAsync(string target, AwsCredentials session)
    {
        using var request = SignedRequest.Create(shared.Endpoint.Url, "iotdata", HttpMethod.Get, target, "", session);
        using var response = await s_client.SendAsync(request, TestContext.Current.CancellationToken);
        return response.StatusCode;
    }
}
