using System.Text.Json.Nodes;
using Testing;
using Xunit;

namespace IotCredentials.Tests.Vending;

/// <summary>What is kept for the next answer is never in the way of a change.</summary>
public sealed class WarmAnswerTests : IAsyncLifetime
{
    private World _world = null!;

    public async ValueTask InitializeAsync() => _world = await World.StartAsync();

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task An_answer_is_the_same_to_the_byte_from_STS_from_Redis_and_from_memory()
    {
        var (one, two) = (await _world.StartGatewayAsync(), await _world.StartGatewayAsync());

        Response[] answers =
        [
            await one.VendAsync("o-acme"), await one.VendAsync("o-acme"), await two.VendAsync("o-acme"), await two.VendAsync("o-acme"),
            await two.VendAsync("o-acme", "?minimumLifetime=900"),
        ];

        Assert.Equal(200, answers[0].Status);
        Assert.Single(answers.Select(answer => answer.Body).Distinct(StringComparer.Ordinal));
        Assert.Single(answers.Select(HeadersOf).Distinct(StringComparer.Ordinal));
        Assert.Equal(answers[0].Body.Length, answers[4].ContentHeaders.ContentLength);
        Assert.Equal(1, _world.Aws.Count("AssumeRole"));

        static string HeadersOf(Response answer) => string.Join('\n', answer.Headers.Concat(answer.ContentHeaders)
            .Where(header => header.Key != "Date" && !header.Key.Equals("X-Request-Id", StringComparison.OrdinalIgnoreCase))
            .Select(header => $"{header.Key}: {string.Join(',', header.Value)}"));
    }

    [Fact]
    public async Task An_endpoint_that_is_changed_is_answered_at_once_with_the_credentials_at_hand()
    {
        var gateway = await _world.StartGatewayAsync();
        var asked = await gateway.VendAsync("o-acme");

        Response[] changed = [await EndpointAsync("\"one.example.com\""), await EndpointAsync("\"two.example.com\""), await EndpointAsync("null")];

        Assert.Equal([asked.AccessKeyId, asked.AccessKeyId, asked.AccessKeyId], changed.Select(answer => answer.AccessKeyId));
        Assert.Equal(["one.example.com", "two.example.com", EndpointOf(asked)], changed.Select(EndpointOf));
        Assert.Equal(asked.Body, changed[2].Body);

        Task<Response> EndpointAsync(string json) => ChangedAsync(gateway, profile => profile["IotEndpoint"] = JsonNode.Parse(json));

        static string? EndpointOf(Response answer) => answer.Data.GetProperty("iotEndpoint").GetString();
    }

    [Fact]
    public async Task A_profile_that_is_changed_and_changed_back_meets_its_own_credentials_each_time()
    {
        var gateway = await _world.StartGatewayAsync();
        var first = await gateway.VendAsync("o-acme");

        var other = await ChangedAsync(gateway, profile => profile["RoleArn"] = "arn:aws:iam::111122223333:role/other");
        var back = await ChangedAsync(gateway, profile => profile["RoleArn"] = "arn:aws:iam::111122223333:role/iot-organization");

        Assert.NotEqual(first.AccessKeyId, other.AccessKeyId);
        Assert.Equal(first.Body, back.Body);
        Assert.Equal(
            ["arn:aws:iam::111122223333:role/iot-organization", "arn:aws:iam::111122223333:role/other"],
            _world.Aws.Calls.Snapshot().Where(call => call.AssumeRole is not null).Select(call => call.AssumeRole!.RoleArn));
    }

    private static async Task<Response> ChangedAsync(RunningGateway gateway, Action<JsonObject> change)
    {
        var settings = JsonNode.Parse(gateway.Folder.Read("appsettings.json"))!.AsObject();
        change(settings["IotCredentials"]!["Profiles"]!["default"]!.AsObject());
        gateway.Folder.Write("appsettings.json", settings.ToJsonString());
        await gateway.CheckForChangesAsync();
        Assert.False(gateway.IsConfigurationRefused, gateway.Log.Text);
        return await gateway.VendAsync("o-acme");
    }
}
