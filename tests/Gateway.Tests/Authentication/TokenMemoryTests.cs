using System.Diagnostics;
using System.Globalization;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Authentication;

/// <summary>A gateway with 512 MB, in a process of its own.</summary>
public sealed class TokenMemoryTests(ITestOutputHelper output)
{
    private const string Path = "/organizations/o-acme/x";
    private const int Tokens = 2_000;

    [Fact]
    public async Task S2_2000_good_tokens_of_26_KB_of_one_issuer_cost_no_other_caller_anything()
    {
        await using var world = await World.StartAsync();
        await using var partner = await OpenIdProvider.StartAsync();
        var gateway = await world.StartGatewayProcessAsync(
            settings => settings.WithoutRedis()
                .Set("Logging:LogLevel:Default", "\"Warning\"")
                .Set("Logging:LogLevel:Microsoft.Hosting.Lifetime", "\"Information\"")
                .Set("Logging:LogLevel:Gateway.Management", "\"Information\"")
                .Set("Authentication:Schemes:Partner", $$"""
                    { "Authority": "{{partner.Issuer}}", "RequireHttpsMetadata": false, "ValidAudiences": ["api://gateway"],
                      "Organizations": { "Claim": "organizations" } }
                    """),
            [new("DOTNET_GCHeapHardLimit", "0x20000000")]);
        string[] others = [.. Enumerable.Range(0, 20).Select(_ => world.Token("o-acme"))];
        foreach (var other in others) Assert.Equal(200, (await SendAsync(other)).Status);
        var before = await ServeAsync(others, 200);

        // Half of it claims that nobody uses, half of it organizations.
        var groups = Enumerable.Range(0, 240).Select(_ => Guid.NewGuid()).ToArray();
        var sent = 0;
        var worst = new List<double>();
        await Parallel.ForEachAsync(Enumerable.Range(0, Tokens), new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (number, _) =>
        {
            var token = partner.Issue(new()
            {
                Organizations = (string[])["o-acme", .. Enumerable.Range(0, 700).Select(each => $"o-{number:D4}x{each:D3}")],
                Claims = new Dictionary<string, object?> { ["groups"] = groups },
            });
            Assert.InRange(token.Length, 24_000, 28_000);
            var answer = await SendAsync(token);
            if (answer.Status != 200) Assert.Fail($"token {number}: {answer.Status} {answer.Body}\n{gateway.Output}");
            if (Interlocked.Increment(ref sent) % 100 != 0) return;
            var during = await ServeAsync(others, 10);
            lock (worst) worst.Add(during);
        });

        await ServeAsync(others, 200);
        var memory = Memory();
        output.WriteLine($"p99 of other callers: {before:F1} ms before, {worst.Max():F1} ms at worst during; {memory} MB resident after {Tokens} tokens");
        Assert.InRange(memory, 1, 512);
        Assert.DoesNotContain("OutOfMemory", gateway.Output, StringComparison.Ordinal);

        Task<Response> SendAsync(string token) => world.Client.SendAsync(gateway.Url + Path, token);

        async Task<double> ServeAsync(string[] tokens, int requests)
        {
            var times = new List<double>();
            for (var i = 0; i < requests; i++)
            {
                var clock = Stopwatch.StartNew();
                var answer = await SendAsync(tokens[i % tokens.Length]);
                times.Add(clock.Elapsed.TotalMilliseconds);
                if (answer.Status != 200) Assert.Fail($"{answer.Status} {answer.Body}\n{gateway.Output}");
            }

            return times.Order().ElementAt(requests * 99 / 100);
        }

        long Memory()
        {
            var line = File.ReadLines($"/proc/{gateway.Id}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
            return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) / 1024;
        }
    }
}
