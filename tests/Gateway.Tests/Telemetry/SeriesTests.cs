using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Gateway.Recording;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Telemetry;

/// <summary>
/// However many callers and organizations there are, no metric gets a series of its own and no response of the console's API gets long or slow. The gateway has
/// a process of its own: some instruments, such as those of HTTP clients, measure a whole process.
/// </summary>
[Collection(LoadTests.Name)]
[Trait("Category", "Long")]
public sealed partial class SeriesTests
{
    private const int Callers = 32;
    private const int MostBytes = 1_000_000;

    private static readonly string[] s_api =
        ["/api/status", "/api/routes", "/api/clusters", "/api/vending", "/api/events", "/api/events?route=organizations"];

    // 100,000 requests of 10,000 subjects for 1,000 organizations at full length.
    private static int Total => Environment.GetEnvironmentVariable("SERIES_REQUESTS") is { Length: > 0 } text
        ? int.Parse(text, CultureInfo.InvariantCulture)
        : 5_000;

    [Fact]
    public async Task Many_organizations_and_subjects_add_no_time_series_and_make_no_response_of_the_console_long_or_slow()
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
        // The page gives up on a response after this time.
        var page = await world.Client.SendAsync(gateway.ManagementUrl + "/console/console.js");
        var longest = TimeSpan.FromMilliseconds(int.Parse(TimeoutOfPage().Match(page.Body).Groups[1].Value, CultureInfo.InvariantCulture));
        // A console looks, so that what it records is recorded.
        var machine = await Machine.MeasureAsync(
            () => world.Client.SendAsync(gateway.ManagementUrl + "/api/status", console), TestContext.Current.TestOutputHelper!.WriteLine);
        await LookAsync();
        const int Few = 10;
        await SendAsync("o-few", Total / 10, organizations: Few, subjects: Few);
        var before = await SeriesAsync();

        await SendAsync("o-many", Total, organizations: Total / 100, subjects: Total / 10);

        var after = await SeriesAsync();
        Assert.True(before.Count > 100);
        var added = after.Except(before).ToList();
        Assert.True(added.Count == 0, string.Join('\n', added));
        // Those that were vended to, and at most those that it keeps. A request is recorded after its response.
        await Eventually.IsTrueAsync(async () =>
            (await world.Client.SendAsync(gateway.ManagementUrl + "/api/vending", console)).Json.GetProperty("organizations").GetArrayLength()
                == Math.Min(VendRecorder.MostOrganizations, Few + (Total / 100)));
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
                // The recording goes on while a console looks.
                if (i % 1000 == 0) await world.Client.SendAsync(gateway.ManagementUrl + "/api/status", console);
                // Each organization has requests of every kind.
                var (path, status) = ((i + (i / organizations)) % 10) switch
                {
                    0 => (Requests.CredentialsPath(organization), 200),
                    1 => ($"/organizations/o-another{i}/devices", 403),
                    2 => ($"/nowhere/{i}", 404),
                    3 => (Requests.CredentialsPath(organization) + $"?minimumLifetime={i}x", 422),
                    _ => ($"/organizations/{organization}/devices/{i}", 200),
                };
                var response = await world.Client.SendAsync(gateway.Url + path, tokens[i % subjects]);
                if (response.Status != status) Assert.Fail($"{path}: {response.Status} {response.Body}\n{gateway.Output}");
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
            foreach (var path in s_api) await CheckAsync(path);
            await CheckAsync("/api/explain", "POST", static request => request.Content = JsonContent.Create(new { path = "/organizations/o-many0/devices" }));
        }

        async Task CheckAsync(string path, string method = "GET", Action<HttpRequestMessage>? change = null)
        {
            var begun = Stopwatch.GetTimestamp();
            var response = await world.Client.SendAsync(gateway.ManagementUrl + path, console, method, change);
            var elapsed = Stopwatch.GetElapsedTime(begun);
            Assert.Equal(200, response.Status);
            Assert.True(response.Body.Length <= MostBytes, $"{path}: {response.Body.Length} bytes");
            Assert.True(elapsed <= machine.Within(longest), $"{path}: {elapsed}");
        }
    }

    [GeneratedRegex(@"\bTIMEOUT = (\d+)")]
    private static partial Regex TimeoutOfPage();
}
