using System.Text.Json.Nodes;
using Gateway.Authentication;
using Gateway.Tests.Authentication;
using Gateway.Tests.Commands.Explain;
using Microsoft.AspNetCore.Http;
using Testing;
using Xunit;

namespace Gateway.Tests.Commands;

/// <summary><c>api-key</c>, and what <c>explain</c> and <c>doctor</c> say of keys. What is printed is pasted and used.</summary>
[Collection(nameof(ExplainInputTests))]
public sealed class ApiKeyCommandTests : IAsyncLifetime
{
    private World _world = null!;

    public async ValueTask InitializeAsync() => _world = await World.StartAsync();

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_created_key_works_with_the_entry_that_is_printed()
    {
        var created = await CommandResult.RunAsync([
            "api-key", "create", "--name", "ci-robot", "--organization", "o-acme", "--organization", "o-globex", "--scope", "iot.connect", "--role", "operator",
            "--expires", "2999-01-01"]);
        Assert.Equal((0, ""), (created.ExitCode, created.Error));
        var lines = created.Output.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
        var key = lines.Single(static line => line.StartsWith(ApiKeyText.Prefix, StringComparison.Ordinal));
        var entry = JsonNode.Parse("{" + lines.Single(static line => line.StartsWith("\"ci-robot\": ", StringComparison.Ordinal)) + "}")!;
        Assert.Equal("2999-01-01T00:00:00Z", (string?)entry["ci-robot"]!["Expires"]);

        var gateway = await _world.StartGatewayAsync(settings => settings.WithoutRedis().Set("Authentication:ApiKeys:Keys", entry.ToJsonString()));

        foreach (var organization in new[] { "o-acme", "o-globex" })
            Assert.Equal(200, (await gateway.SendAsync($"/organizations/{organization}/x", change: ApiKeys.With(key))).Status);
        Assert.Equal(403, (await gateway.SendAsync("/organizations/o-other/x", change: ApiKeys.With(key))).Status);
        Assert.Equal(1, created.Output.Split(key).Length - 1);
    }

    [Theory]
    [InlineData("api-key create")]
    [InlineData("api-key create --name")]
    [InlineData("api-key create --name a:b")]
    [InlineData("api-key create --name igw_Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6YWJjZGVm")]
    [InlineData("api-key create --name a --expires tomorrow")]
    [InlineData("api-key create --name a --expires 2027-13-01")]
    [InlineData("api-key create --name a --expires 2020-01-01")]
    [InlineData("api-key create --name a --organization o-*")]
    [InlineData("api-key create --name a --organisation o-1")]
    [InlineData("api-key")]
    [InlineData("api-key show")]
    public async Task Misuse_is_an_error_and_prints_no_key(string line)
    {
        var result = await CommandResult.RunAsync(line.Split(' '));

        Assert.NotEqual(0, result.ExitCode);
        Assert.NotEmpty(result.Error);
        Assert.DoesNotMatch("igw_.{49}", result.Output + result.Error);
    }

    [Theory]
    [InlineData("sk_live.0123456789", true)]
    [InlineData("sk_live.0123456789\n", true)]
    [InlineData("sk_live.0123456789\r\n", true)]
    [InlineData("\ufeffsk_live.0123456789\n", true)]
    [InlineData("", false)]
    [InlineData("\n", false)]
    [InlineData("two words", false)]
    [InlineData("one\ntwo\n", false)]
    [InlineData("k\u00e9y", false)]
    [InlineData("igw_mistyped", false)]
    [InlineData("513", false)]
    public async Task Hash_reads_one_key_from_standard_input(string input, bool isKey)
    {
        var before = Console.In;
        Console.SetIn(new StringReader(input == "513" ? new string('x', 513) : input));
        var result = await CommandResult.RunAsync(["api-key", "hash"]);
        Console.SetIn(before);

        Assert.Equal(isKey ? 0 : 1, result.ExitCode);
        if (isKey) Assert.Equal(ApiKeyText.Sha256Of("sk_live.0123456789"), result.Output.Trim());
        else Assert.StartsWith("error: ", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("mistyped\n", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_judges_a_key_and_never_prints_it()
    {
        var (key, expired, unknown) = (ApiKeys.NewKey(), ApiKeys.NewKey(), ApiKeys.NewKey());
        using var folder = _world.Folder(settings => settings.WithoutRedis()
            .AddKey("ci-robot", key, """{ "Organizations": ["o-acme"], "IpAllow": ["10.0.0.0/8"] }""")
            .AddKey("old", expired, """{ "Expires": "2020-01-01T00:00:00Z" }"""));

        var good = await ExplainAsync("/organizations/o-acme/x", key);
        Assert.Equal(0, good.ExitCode);
        Assert.Equal("ApiKeys", good.Json.GetProperty("token").GetProperty("scheme").GetString());
        Assert.Contains("ci-robot", good.Json.GetProperty("token").GetProperty("signature").GetString(), StringComparison.Ordinal);
        Assert.Contains("10.0.0.0/8", good.Json.GetProperty("notes").ToString(), StringComparison.Ordinal);
        Assert.Equal(403, (await ExplainAsync("/organizations/o-other/x", key)).Json.GetProperty("refused").GetInt32());
        var refusals = new[] { (expired, ApiKeyAuthentication.Expired), (unknown, ApiKeyAuthentication.Unknown), ("a b", ApiKeyAuthentication.Malformed) };
        foreach (var (bad, why) in refusals)
        {
            var refused = await ExplainAsync("/organizations/o-acme/x", bad);
            Assert.Equal(401, refused.Json.GetProperty("refused").GetInt32());
            Assert.Equal(why, refused.Json.GetProperty("token").GetProperty("failures")[0].GetString());
            if (bad.Length > 5) Assert.DoesNotContain(bad, refused.Output + refused.Error, StringComparison.Ordinal);
        }

        Assert.DoesNotContain(key, good.Output + good.Error, StringComparison.Ordinal);
        var both = await CommandResult.RunAsync(["explain", "--path", "/x", "--api-key", key, "--token", "x", "--config", folder.Path]);
        Assert.Equal(1, both.ExitCode);

        async Task<CommandResult> ExplainAsync(string path, string given)
        {
            var file = new SecretFile();
            file.Write(given);
            return await CommandResult.RunAsync(["explain", "--path", path, "--api-key-file", file.Path, "--format", "json", "--config", folder.Path]);
        }
    }

    [Fact]
    public async Task Doctor_counts_keys_and_asks_the_introspection_endpoint()
    {
        var secret = new SecretFile();
        using var folder = _world.Folder(settings => settings.WithoutRedis()
            .AddKey("ci-robot", ApiKeys.NewKey(), """{ "Organizations": ["o-acme"] }""")
            .AddKey("old", ApiKeys.NewKey(), """{ "Expires": "2020-01-01T00:00:00Z" }""")
            .AddIntrospection(_world.Issuer, secret));

        var found = await DoctorAsync();
        Assert.Matches("API keys +warning +2 in X-API-Key, 1 of them expired", found.Output);
        Assert.Matches("introspection +ok ", found.Output);

        secret.Write("another");
        var refused = await DoctorAsync();
        Assert.Equal(1, refused.ExitCode);
        Assert.Matches("introspection +failed +its status is 401: it does not accept ClientId", refused.Output);

        secret.Write(_world.Issuer.IntrospectionSecret);
        _world.Issuer.AnswerIntrospection = static async (context, _, cancellation) =>
        {
            await context.Response.WriteAsJsonAsync(new JsonObject { ["active"] = true }, cancellation);
            return true;
        };
        Assert.Matches("introspection +failed +it says that a token is active which was made up", (await DoctorAsync()).Output);

        Task<CommandResult> DoctorAsync() => CommandResult.RunAsync(["doctor", "--timeout", "60", "--config", folder.Path], world: _world);
    }
}
