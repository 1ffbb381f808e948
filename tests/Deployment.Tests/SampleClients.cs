using System.Text.Json.Nodes;
using Sandbox;
using Sandbox.IotDataPlane;
using Testing;
using Xunit;

namespace Deployment.Tests;

/// <summary>A platform whose sessions end after seconds, for the clients of <c>samples/</c>. Its gateway is a process that tests restart.</summary>
public sealed class SampleClients : IAsyncLifetime
{
    public const string Organization = "o-acme";
    /// <summary>The organization whose sessions live for an hour, after <see cref="LengthenSessionsAsync"/>.</summary>
    public const string LongOrganization = "o-long";

    public const string Telemetry = $"{Organization}/sensor/telemetry";
    public const string LongTelemetry = $"{LongOrganization}/sensor/telemetry";

    /// <summary>Long enough to connect on a slow machine, short enough to wait for the end.</summary>
    private static readonly TimeSpan s_session = TimeSpan.FromSeconds(20);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sample-clients-");
    private readonly int _port = FreePort.Find();
    private GatewayProcess _gateway = null!;
    private string? _pageOrigin;

    public World World { get; private set; } = null!;

    public IotDataEndpoint Iot { get; private set; } = null!;

    public string Gateway => $"http://127.0.0.1:{_port}";

    public async ValueTask InitializeAsync()
    {
        World = await World.StartAsync();
        World.Aws.LongestSession = s_session;
        Iot = await IotDataEndpoint.StartAsync(World.Aws, organizations: [Organization, LongOrganization]);
        await StartGatewayAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Iot.DisposeAsync();
        await World.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    /// <summary>
    /// Has the gateway cache a session of an hour. The AWS SDK refreshes in the background in the last 15 minutes of a session, which for those of seconds is
    /// always.
    /// </summary>
    public async Task<Response> LengthenSessionsAsync()
    {
        World.Aws.LongestSession = null;
        var response = await World.Client.SendAsync(Gateway + Requests.CredentialsPath(LongOrganization), World.Token(LongOrganization));
        World.Aws.LongestSession = s_session;
        Assert.Equal(200, response.Status);
        return response;
    }

    /// <summary>The environment of a client whose sessions live for an hour.</summary>
    public Dictionary<string, string> LongEnvironment() => Environment(Gateway, TokenFile(LongOrganization), LongOrganization);

    public async Task StopGatewayAsync()
    {
        _gateway.Signal("TERM");
        await _gateway.WaitForExitAsync();
    }

    public async Task StartGatewayAsync() => _gateway = await World.StartGatewayProcessAsync(settings =>
    {
        settings["Urls"] = Gateway;
        settings["IotCredentials"]!["Profiles"]!["default"]!["MinimumLifetime"] = "00:00:00";
        if (_pageOrigin is null) return;
        // As in docs/clients.md.
        settings["Cors"] = JsonNode.Parse($$"""
            { "Policies": { "Web": {
                "Origins": ["{{_pageOrigin}}"], "Methods": ["GET"], "Headers": ["authorization"],
                "ExposedHeaders": ["Date", "Retry-After", "X-Request-Id"] } } }
            """);
        settings["ReverseProxy"]!["Routes"]!["iot-endpoint-and-credentials"]!["CorsPolicy"] = "Web";
    });

    /// <summary>The page, at an origin that may call the gateway. It restarts the gateway.</summary>
    public async Task<SamplePage> StartPageAsync(string organization = Organization)
    {
        var broker = Iot.Url.Replace("http:", "ws:", StringComparison.Ordinal);
        var page = await SamplePage.StartAsync(World.Issuer, organization, broker, Gateway, isGatewaysOrigin: false);
        _pageOrigin = page.Origin;
        await StopGatewayAsync();
        await StartGatewayAsync();
        return page;
    }

    /// <summary>A file with a token for a member of an organization.</summary>
    public string TokenFile(string organization = Organization) => NewFile(World.Token(organization) + "\n");

    /// <summary>A new file.</summary>
    public string NewFile(string content)
    {
        var file = Path.Combine(_folder.FullName, Guid.NewGuid().ToString("N"));
        File.WriteAllText(file, content);
        return file;
    }

    /// <summary>The environment of a client.</summary>
    public Dictionary<string, string> Environment(string gateway, string tokenFile, string organization = Organization) => new(World.Aws.EnvironmentVariables)
    {
        ["GATEWAY_URL"] = gateway,
        ["ORGANIZATION_ID"] = organization,
        ["TOKEN_FILE"] = tokenFile,
        [Iot.EnvironmentVariable.Key] = Iot.EnvironmentVariable.Value,
        // Only the gateway has a key of AWS.
        ["AWS_ACCESS_KEY_ID"] = "",
        ["AWS_SECRET_ACCESS_KEY"] = "",
        ["AWS_EC2_METADATA_DISABLED"] = "true",
        ["PYTHONDONTWRITEBYTECODE"] = "1",
        ["XDG_CACHE_HOME"] = _folder.FullName,
    };

    internal static SampleProcess Start(string sample, IEnumerable<KeyValuePair<string, string>> environment)
    {
        var (program, argument) = sample switch
        {
            "node" => ("node", Sample("node", "index.js")),
            // Debian's Python sees Debian's paho-mqtt.
            "python" => ("/usr/bin/python3", Sample("python", "follow.py")),
            _ => ("dotnet", Sample("dotnet", "bin", "Debug", "net10.0", "IotClient.dll")),
        };
        return SampleProcess.Start(program, [argument], environment);
    }

    public static string Sample(params string[] path) => Path.Combine([Repository.Root, "samples", .. path]);
}
