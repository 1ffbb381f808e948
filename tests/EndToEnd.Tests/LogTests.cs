using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Sandbox;
using Testing;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>The logs of a gateway process: pure JSON lines of requests and credentials, and ordinary lines beside them.</summary>
public sealed partial class LogTests
{
    private const string HostileSubject = "a\"b\\\r\n{\"time\":\"forged\"}\u0000\u001b[31m\u2028é😀";

    private static readonly string[] s_audit =
    [
        "time", "event", "issuer", "subject", "organization", "profile", "accessKeyId", "expiration", "outcome", "requestId", "delivered", "traceId",
    ];

    [Fact]
    public async Task Every_request_has_one_JSON_line_and_ordinary_lines_have_a_time_in_the_form_that_operators_choose()
    {
        const int Requests = 200;
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayProcessAsync(settings => settings["Logging"]!["Console"] = new JsonObject { ["FormatterName"] = "json" });
        var token = world.Token("o-acme");

        await Task.WhenAll(Enumerable.Range(0, Requests).Select(i => world.Client.SendAsync($"{gateway.Url}/organizations/o-acme/request-{i}", token)));
        gateway.Signal("TERM");
        Assert.Equal(0, await gateway.WaitForExitAsync());

        var lines = gateway.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        var paths = lines.Where(line => line.TryGetProperty("requestId", out _)).Select(line => line.GetProperty("path").GetString());
        Assert.Equal(
            Enumerable.Range(0, Requests).Select(i => $"/organizations/o-acme/request-{i}").Order(StringComparer.Ordinal),
            paths.Order(StringComparer.Ordinal));
        var ordinary = Assert.Single(lines, line => line.TryGetProperty("Message", out var message) && message.GetString()!.StartsWith("Application started"));
        Assert.Matches("^[0-9-]{10}T[0-9:.]{12}Z$", ordinary.GetProperty("Timestamp").GetString());
    }

    [Fact]
    public async Task Credentials_that_are_handed_out_have_a_line_in_the_audit_log_whatever_levels_are_set()
    {
        await using var world = await World.StartAsync();
        var folder = Directory.CreateTempSubdirectory("gateway-audit-").FullName;
        var file = Path.Combine(folder, "audit.log");
        var gateway = await world.StartGatewayProcessAsync(settings =>
        {
            settings["Logging"]!["LogLevel"]!["IotCredentials"] = "None";
            settings["AuditLog"] = new JsonObject { ["Path"] = file };
            settings["AccessLog"] = new JsonObject { ["Enabled"] = false };
        });
        var response = await world.Client.SendAsync(gateway.Url + Requests.CredentialsPath("o-acme"), world.Token("o-acme"));
        Assert.Equal(200, response.Status);
        await Eventually.IsTrueAsync(() => File.Exists(file) && File.ReadAllText(file).EndsWith('\n'));

        var line = JsonDocument.Parse(Assert.Single(await File.ReadAllLinesAsync(file))).RootElement;
        Assert.Equal(s_audit, line.EnumerateObject().Select(member => member.Name));
        Assert.Equal("Audit", line.GetProperty("event").GetString());
        Assert.Equal(response.AccessKeyId, line.GetProperty("accessKeyId").GetString());
        Assert.True(line.GetProperty("delivered").GetBoolean());
        Assert.DoesNotContain("Vended:", gateway.Output, StringComparison.Ordinal);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_file_that_is_rotated_under_load_loses_no_line_and_breaks_none()
    {
        const int Rotations = 5, Callers = 4;
        await using var world = await World.StartAsync();
        var folder = Directory.CreateTempSubdirectory("gateway-access-").FullName;
        var file = Path.Combine(folder, "access.log");
        var gateway = await world.StartGatewayProcessAsync(settings => settings["AccessLog"] = new JsonObject { ["Path"] = file });
        var token = world.Issuer.Issue(new TokenRequest { Subject = HostileSubject, Organizations = (string[])["o-acme"] });
        var (sent, end) = (0, false);
        var callers = Enumerable.Range(0, Callers).Select(_ => Task.Run(async () =>
        {
            while (!Volatile.Read(ref end))
            {
                var number = Interlocked.Increment(ref sent);
                await world.Client.SendAsync($"{gateway.Url}/organizations/o-acme/%22quoted%22-{number}", token);
                await Task.Delay(TimeSpan.FromMilliseconds(1));
            }
        })).ToList();

        for (var rotation = 1; rotation <= Rotations; rotation++)
        {
            await Eventually.IsTrueAsync(
                () => (File.Exists(file) && new FileInfo(file).Length > 0) || callers.Exists(caller => caller.IsFaulted),
                () => $"Rotation {rotation}, {sent} requests sent.");
            if (callers.Find(caller => caller.IsFaulted) is { } faulted) await faulted;
            File.Move(file, $"{file}.{rotation}");
            gateway.Signal("HUP");
        }

        Volatile.Write(ref end, true);
        await Task.WhenAll(callers);
        gateway.Signal("TERM");
        Assert.Equal(0, await gateway.WaitForExitAsync());

        var lines = Directory.GetFiles(folder).SelectMany(File.ReadAllLines).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal(sent, lines.Count);
        Assert.Equal(sent, lines.DistinctBy(line => line.GetProperty("requestId").GetString()).Count());
        Assert.All(lines, line => Assert.Equal(HostileSubject, line.GetProperty("subject").GetString()));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_full_disk_costs_lines_and_no_request_and_is_told_once_and_when_it_is_over()
    {
        await using var world = await World.StartAsync();
        var folder = Directory.CreateTempSubdirectory("gateway-full-").FullName;
        var file = Path.Combine(folder, "access.log");
        // A device that is always full takes the role of the disk.
        File.CreateSymbolicLink(file, "/dev/full");
        var gateway = await world.StartGatewayProcessAsync(settings => settings["AccessLog"] = new JsonObject { ["Path"] = file });
        var token = world.Token("o-acme");

        await Eventually.IsTrueAsync(async () =>
        {
            Assert.Equal(200, (await world.Client.SendAsync($"{gateway.Url}/organizations/o-acme/full", token)).Status);
            return await DroppedAsync(world, gateway.ManagementUrl) >= 3;
        });
        File.Delete(file);
        gateway.Signal("HUP");
        await Eventually.IsTrueAsync(async () =>
        {
            Assert.Equal(200, (await world.Client.SendAsync($"{gateway.Url}/organizations/o-acme/room", token)).Status);
            return gateway.Output.Contains($"Log lines are written to {file} again.", StringComparison.Ordinal);
        });

        Assert.Single(Told(gateway.Output, $"Log lines cannot be written to {file}: the disk is full."));
        await Eventually.IsTrueAsync(() => File.ReadAllText(file).Contains("\"path\":\"/organizations/o-acme/room\"", StringComparison.Ordinal));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_closed_pipe_costs_lines_and_no_request()
    {
        await using var world = await World.StartAsync();
        using var folder = world.Folder();
        var lines = new System.Collections.Concurrent.ConcurrentQueue<string>();
        // The reader of the gateway's output ends when the gateway has started.
        const string Reader = """while IFS= read -r line; do echo "$line"; case $line in *"Application started"*) exit;; esac; done""";
        using var shell = ChildProcess.Start(
            "bash", ["-c", $"dotnet '{GatewayProcess.Program}' --config '{folder.Path}' | {{ {Reader}; }}"], world.Aws.EnvironmentVariables, lines.Enqueue);
        try
        {
            await Eventually.IsTrueAsync(() => lines.Any(static line => line.Contains("Application started", StringComparison.Ordinal)));
            var output = string.Join('\n', lines);
            var (url, management) = (PublicAddress().Match(output).Groups[1].Value, ManagementAddress().Match(output).Groups[1].Value);

            await Eventually.IsTrueAsync(async () =>
            {
                Assert.Equal(200, (await world.Client.SendAsync($"{url}/organizations/o-acme/closed", world.Token("o-acme"))).Status);
                return await DroppedAsync(world, management) >= 3;
            });
        }
        finally
        {
            shell.Kill(entireProcessTree: true);
        }
    }

    private static async Task<long> DroppedAsync(World world, string managementUrl)
    {
        var scrape = (await world.Client.SendAsync(managementUrl + "/metrics")).Body;
        return long.Parse(Dropped().Match(scrape).Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
    }

    private static IEnumerable<string> Told(string output, string text) => output.Split('\n').Where(line => line.Contains(text, StringComparison.Ordinal));

    [GeneratedRegex(@"^gateway_access_log_dropped_total\S* ([0-9]+)", RegexOptions.Multiline)]
    private static partial Regex Dropped();

    [GeneratedRegex(@"Management listening on: (http://\S+)")]
    private static partial Regex ManagementAddress();

    [GeneratedRegex(@"Now listening on: (http://\S+)")]
    private static partial Regex PublicAddress();
}
