using System.Diagnostics;
using System.Text.Json.Nodes;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Vending;

/// <summary>A caller that uses up its share of the budget of STS takes nothing from anybody else's, the same organization's members included.</summary>
public sealed class StsSharingTests(ITestOutputHelper output)
{
    private static void FivePerSecond(JsonObject settings) => settings.Set("IotCredentials:Sts", """{ "PermitsPerSecond": 5, "MaxConcurrent": 5 }""");

    [Theory]
    [InlineData("S8 while its vend waits", 0)]
    [InlineData("S8 after its vend found no permit in time", 503)]
    public async Task A_member_of_an_organization_that_another_callers_storm_asks_for_is_served(string when, int stormed)
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(settings =>
        {
            FivePerSecond(settings);
            // The storm is 24 seconds of calls: behind it, the victim would get 503.
            settings.Set("IotCredentials:Timeout", "\"00:00:15\"");
        });
        var organizations = Enumerable.Range(0, 120).Select(i => $"o-storm{i}").ToArray();
        var storm = world.Issuer.Issue(new TokenRequest { Subject = "storm", Organizations = organizations });
        var machine = await Machine.MeasureAsync(i => gateway.VendAsync($"o-measured{i}"), output.WriteLine);
        var storming = organizations.Select(organization => gateway.SendAsync(Requests.CredentialsPath(organization), storm)).ToList();
        await world.Aws.Calls.WaitForAsync(call => call.AssumeRole?.RoleSessionName?.StartsWith("o-storm", StringComparison.Ordinal) == true);
        // The last of them, or one that has had its answer.
        var stormedOrganization = organizations[^1];
        if (stormed > 0) stormedOrganization = organizations[storming.IndexOf(await FirstAsync(storming, stormed))];

        var begun = Stopwatch.StartNew();
        var answer = await gateway.SendAsync(
            Requests.CredentialsPath(stormedOrganization),
            world.Issuer.Issue(new TokenRequest { Subject = "victim", Organizations = new[] { stormedOrganization } }));

        output.WriteLine($"{when}: {begun.Elapsed.TotalSeconds:F2} s");
        Assert.True(answer.Status == 200, answer.Body);
        Assert.InRange(begun.Elapsed, TimeSpan.Zero, machine.Within(TimeSpan.FromSeconds(2)));
        await Task.WhenAll(storming);
    }

    private static async Task<Task<Response>> FirstAsync(IEnumerable<Task<Response>> answers, int status)
    {
        await foreach (var answer in Task.WhenEach(answers))
            if ((await answer).Status == status) return answer;
        throw new InvalidOperationException($"No answer is {status}.");
    }
}
