using System.Globalization;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Telemetry;

/// <summary>
/// However many callers and organizations there are, no metric gets a series of its own and no answer of the console's API gets long. The gateway has a process
/// of its own: some instruments, such as those of HTTP clients, measure a whole process.
/// </summary>
[Collection(LoadTests.Name)]
[Trait("Category", "Long")]
public sealed class SeriesTests
{
    private const int Callers = 32;
    private const int LongestAnswer = 1_000_000;

    private static readonly string[] s_api = ["/api/status", "/api/routes", "/api/clusters", "/api/vending", "/api/events"];

    // 100,000 requests of 10,000 subjects for 1,000 organizations at full length.
    private static int Total => Environment.GetEnvironmentVariable("SERIES_REQUESTS") is { Length: > 0 } text
        ? int.Parse(text, CultureInfo.InvariantCulture)
        : 5_000;

    [Fact]
    public async Task Many_organizations_and_subjects_add_no_time_series_and_lengthen_no_answer_of_the_console()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayProcessAsync(static settings => settings
            .Set("Authorization:Policies:Operators", """{ "Roles": ["platform-operator"] }""")
            .Set("Management:AuthorizationPolicy", "\"Operators\"")
            .Set("AccessLog", """{ "Enabled": false }""").Set("AuditLog", """{ "Enabled": false }""")
            .Set("Logging:LogLevel:Default", "\"None\"")
            .Set("Logging:LogLevel:Microsoft.Hosting.Lifetime", "\"Information\"")
            .Set("Logging:LogLevel:Gateway.Management", "\"Information\""));
        var console = world.Issuer.Issue(new TokenRequest { Subject = "oscar", Roles = (string[])["platform-operator"] });
        // A console looks, so that what it records is recorded.
        await LookAsync();
        await SendAsync("o-few", Total / 10, organizations: 10, subjects: 10);
        var before = await SeriesAsync();

        await SendAsync("o-many", Total, organizations: Total / 100, subjects: Total / 10);

        var after = await SeriesAsync();
        Assert.True(before.Count > 100);
        var added = after.Except(before).ToList();
        Assert.True(added.Count == 0, string.Join('\n', added));
        await LookAsync();

        async Task SendAsync(string prefix, int count, int organizations, int subjects)
        {
            var tokens = Enumerable.Range(0, subjects).Select(subject => world.Issuer.Issue(new TokenRequest
            {
                Subject = $"{prefix}-subject-{subject}",
                Organizations = (string[])[$"{prefix}{subject % organizations}"],
            })).ToList();
            await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = Callers }, async (i, _) =>
            {
                var organization = $"{prefix}{i % subjects % organizations}";
                var (path, status) = (i % 10) switch
                {
                    0 => (Requests.CredentialsPath(organization), 200),
                    1 => ($"/organizations/o-another{i}/devices", 403),
                    2 => ($"/nowhere/{i}", 404),
                    3 => (Requests.CredentialsPath(organization) + $"?minimumLifetime={i}x", 422),
                    _ => ($"/organizations/{organization}/devices/{i}", 200),
                };
                var answer = await world.Client.SendAsync(gateway.Url + path, tokens[i % subjects]);
                if (answer.Status != status) Assert.Fail($"{path}: {answer.Status} {answer.Body}\n{gateway.Output}");
            });
        }

        async Task<SortedSet<string>> SeriesAsync()
        {
            var scrape = await Scrape.ReadAsync(world, gateway.ManagementUrl);
            // It is chance which generation is collected and when a connection ends.
            var own = scrape.Lines.Where(static line =>
                !line.Name.StartsWith("dotnet_", StringComparison.Ordinal) && !line.Name.Contains("_connection", StringComparison.Ordinal));
            var names = own.Select(static line => line.Name + string.Concat(line.Labels.Select(static label => $" {label.Key}={label.Value}")));
            return new(names, StringComparer.Ordinal);
        }

        async Task LookAsync()
        {
            foreach (var path in s_api)
            {
                var answer = await world.Client.SendAsync(gateway.ManagementUrl + path, console);
                Assert.Equal(200, answer.Status);
                Assert.True(answer.Body.Length <= LongestAnswer, $"{path}: {answer.Body.Length} bytes");
            }
        }
    }
}
