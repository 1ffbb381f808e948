using System.Text.RegularExpressions;
using Testing;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>A newcomer edits the sandbox's configuration and watches, and points other programs at the sandbox.</summary>
public sealed partial class SandboxEditTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task G1_G2_G4_F17_it_says_what_it_starts_follows_its_folder_and_prints_how_to_point_other_programs_at_it()
    {
        using var folder = new EditedFolder();
        await using var sandbox = await SandboxProcess.StartAsync(["--port=0", "--config", folder.Path]);
        await EventuallyAsync(() => sandbox.Lines.Any(line => line.Contains(" explain ", StringComparison.Ordinal)));
        var lines = sandbox.Lines;

        // G1: what is started is printed as it starts, before anything that needs all of it.
        Assert.Equal(
            [
                "Starting an OpenID provider",
                "Starting an emulator of AWS STS and AWS IoT",
                "Starting a Redis",
                "Starting a downstream service",
                $"Starting the gateway with {folder.Path}"
            ],
            lines.Take(5));

        // G2: a file of the folder is honoured while it runs, and its effect is what README says.
        using var client = new HttpClient();
        var curl = Curl().Match(sandbox.Curls[0]);
        var token = (await client.SendAsync(curl.Groups["token"].Value, change: request => request.Headers.Accept.ParseAdd("text/plain"))).Body;
        await EventuallyAsync(async () => await RegionAsync() == "ap-northeast-1");
        folder.Write("""{ "IotCredentials": { "Profiles": { "default": { "Region": "eu-west-1" } } } }""");
        await EventuallyAsync(async () => await RegionAsync() == "eu-west-1");
        await EventuallyAsync(() => sandbox.Lines.Any(line => line.Contains("The configuration was changed", StringComparison.Ordinal)));

        // A slip is reported with its key and the nearest name, and changes nothing.
        folder.Write("""{ "IotCredentials": { "Profiles": { "default": { "Regon": "us-east-1" } } } }""");
        await EventuallyAsync(() => sandbox.Lines.Any(line =>
            line.Contains("IotCredentials:Profiles:default:Regon", StringComparison.Ordinal) && line.Contains("\"Region\"", StringComparison.Ordinal)));
        Assert.Equal("eu-west-1", await RegionAsync());
        folder.Write("{}");
        await EventuallyAsync(async () => await RegionAsync() == "ap-northeast-1");

        // G4: the variables by which another program's AWS SDK finds STS and AWS IoT.
        var variables = lines.Single(line => line.StartsWith("export ", StringComparison.Ordinal))["export ".Length..].Split(' ')
            .Select(variable => variable.Split('=', 2))
            .ToDictionary(variable => variable[0], variable => variable[1]);
        Assert.Equal(
            [
                "AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL_IOT", "AWS_ENDPOINT_URL_IOT_DATA_PLANE", "AWS_ENDPOINT_URL_STS", "AWS_REGION", "AWS_SECRET_ACCESS_KEY",
            ],
            variables.Keys.Order(StringComparer.Ordinal));

        // F17: the commands see this sandbox by the printed keys and variables. The printed line runs the same program through dotnet run.
        var command = lines.Single(line => line.Contains(" -- explain ", StringComparison.Ordinal));
        var arguments = command[(command.IndexOf(" -- ", StringComparison.Ordinal) + 4)..].Split(' ');
        var (explained, explanation) = await GatewayProcess.RunAsync(arguments, variables);
        Assert.True(explained == 0, explanation);
        Assert.Contains("taken by iot-endpoint-and-credentials", explanation, StringComparison.Ordinal);
        Assert.Contains("Redis key", explanation, StringComparison.Ordinal);
        Assert.DoesNotContain("NOT THE REAL ONE", explanation, StringComparison.Ordinal);
        var (examined, examination) = await GatewayProcess.RunAsync(
            ["doctor", "--timeout", "60", .. arguments.SkipWhile(argument => argument != "--config")], variables);
        Assert.True(examined == 0, examination);

        async Task<string?> RegionAsync()
        {
            var response = await client.SendAsync(curl.Groups["url"].Value, token);
            // A busy machine may not have the issuer's keys in time.
            if (response.Status == 503) return null;
            Assert.True(response.Status == 200, $"{response.Status} {response.Body}");
            return response.Data.GetProperty("awsRegion").GetString();
        }
    }

    private static Task EventuallyAsync(Func<bool> isTrue) => EventuallyAsync(() => Task.FromResult(isTrue()));

    private static async Task EventuallyAsync(Func<Task<bool>> isTrue)
    {
        using var deadline = new CancellationTokenSource(s_patience);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!await isTrue()) await timer.WaitForNextTickAsync(deadline.Token);
    }

    [GeneratedRegex("""\$\(curl .* '(?<token>http://[^']+)'\)" (?<url>http://\S+)$""")]
    private static partial Regex Curl();

    /// <summary>A copy of the configuration that ships.</summary>
    private sealed class EditedFolder : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sandbox-edited-");

        public EditedFolder()
        {
            var shipped = System.IO.Path.Combine(AppContext.BaseDirectory, "appsettings");
            foreach (var file in Directory.EnumerateFiles(shipped, "*", SearchOption.AllDirectories))
            {
                var copy = System.IO.Path.Combine(Path, System.IO.Path.GetRelativePath(shipped, file));
                Directory.CreateDirectory(System.IO.Path.GetDirectoryName(copy)!);
                File.Copy(file, copy);
            }
        }

        public string Path => _folder.FullName;

        public void Write(string content) => File.WriteAllText(System.IO.Path.Combine(Path, "appsettings.Production.json"), content);

        public void Dispose() => _folder.Delete(recursive: true);
    }
}
