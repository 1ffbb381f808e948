using Gateway.Tests.Commands;
using Testing;
using Xunit;

namespace Gateway.Tests.Explanations;

/// <summary>The value of a condition may be a secret, such as the one that a proxy in front adds. Its name is shown, and its value is not.</summary>
public sealed class ConditionValueTests
{
    private const string Secret = "hush-condition";

    public static TheoryData<string> Matches =>
    [
        $$"""{ "Headers": [{ "Name": "X-Known", "Values": ["{{Secret}}"] }] }""",
        $$"""{ "Headers": [{ "Name": "X-Known", "Values": ["{{Secret}}"], "Mode": "HeaderPrefix" }] }""",
        $$"""{ "Headers": [{ "Name": "X-Known", "Values": ["{{Secret}}", "other"], "Mode": "NotContains" }] }""",
        $$"""{ "QueryParameters": [{ "Name": "X-Known", "Values": ["{{Secret}}"] }] }""",
        $$"""{ "QueryParameters": [{ "Name": "X-Known", "Values": ["{{Secret}}"], "Mode": "Prefix" }] }""",
        $$"""{ "QueryParameters": [{ "Name": "X-Known", "Values": ["{{Secret}}"], "Mode": "Contains" }] }""",
    ];

    [Theory]
    [MemberData(nameof(Matches))]
    public async Task No_command_and_no_page_shows_it(string match)
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(settings => settings.WithoutRedis()
            .Set("Management:AuthorizationPolicy", "\"Operators\"")
            .Set("Authorization:Policies:Operators", """{ "Roles": ["gateway-operator"] }""")
            .Route("known", "/known/{**rest}", RouteOf(match)));
        var config = (string[])["--config", gateway.Folder.Path];

        string[] shown =
        [
            .. await Task.WhenAll(((string[][])
            [
                ["check"], ["check", "--format", "json"], ["explain", "--path", "/known/1"], ["explain", "--path", "/known/1", "--format", "json"],
            ]).Select(async command => (await CommandResult.RunAsync([.. command, .. config])).Output)),
            (await world.Client.SendAsync(gateway.ManagementUrl + "/api/routes", world.Issuer.Issue(new() { Roles = ["gateway-operator"] }))).Body,
        ];

        Assert.All(shown, static text =>
        {
            Assert.Contains("X-Known", text, StringComparison.Ordinal);
            Assert.DoesNotContain(Secret, text, StringComparison.Ordinal);
        });
    }

    [Theory]
    [MemberData(nameof(Matches))]
    public async Task No_finding_shows_it(string match)
    {
        await using var world = await World.StartAsync();
        using var folder = world.Folder(settings => settings.WithoutRedis()
            .Route("one", "/known/{**rest}", RouteOf(match))
            .Route("two", "/known/{**rest}", RouteOf(match.Replace("Known", "Other", StringComparison.Ordinal))));

        var check = await CommandResult.RunAsync(["check", "--config", folder.Path]);

        Assert.Contains("X-Known", check.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, check.Error, StringComparison.Ordinal);
    }

    private static string RouteOf(string match) => $$"""{ "Match": {{match}} }""";
}
