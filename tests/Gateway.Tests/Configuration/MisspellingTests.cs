using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Gateway.Configuration.Loading;
using Gateway.Routes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Testing;
using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>No slip in a key passes: neither in what ships, nor in what operators may add to it.</summary>
public sealed partial class MisspellingTests
{
    private const string Main = "appsettings.json";
    private const string Template = "policies/organization.json";
    private static readonly string s_folder = Path.Combine(AppContext.BaseDirectory, "appsettings");
    private static readonly JsonDocumentOptions s_withComments = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    public static TheoryData<string, string> ShippedKeys => new(
        Directory.EnumerateFiles(s_folder, "*.json", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(s_folder, path).Replace('\\', '/'))
            .Where(file => !file.EndsWith(".schema.json", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .SelectMany(file => KeysOf(Shipped(file), "").Where(key => !OperatorsName().IsMatch(key)).Select(key => (file, key))));

    [Theory]
    [MemberData(nameof(ShippedKeys))]
    public void A_slip_in_a_shipped_key_is_found_there_with_the_right_name(string file, string key)
    {
        using var folder = new GatewayFolder(Shipped(Main));
        var name = key[(key.LastIndexOf(':') + 1)..];
        var isTemplate = file.StartsWith("policies/", StringComparison.Ordinal);
        foreach (var slip in Sample.Of(2, Misspelling.Of(name)))
        {
            folder.Write(isTemplate ? Template : file, Renamed(Shipped(file), key, slip).ToJsonString());
            var layer = file == Main || isTemplate ? "Production" : Path.GetFileNameWithoutExtension(file)["appsettings.".Length..];

            var read = ConfigurationFolder.Load(["--config", folder.Path], layer, new Dictionary<string, string?>());

            var path = key[..^name.Length] + slip;
            var foundAt = isTemplate ? "IotCredentials:Profiles:default:SessionPolicy" : path;
            Assert.Null(read.Snapshot);
            Assert.True(
                read.Findings.Any(finding => finding.Key == foundAt
                    && finding.Message.Contains($"Did you mean \"{name}\"?", StringComparison.Ordinal)
                    && (!isTemplate || finding.Message.Contains(InTemplate(path), StringComparison.Ordinal))),
                $"{path}:\n{string.Join('\n', read.Findings)}");
        }
    }

    [Fact]
    public async Task A_slip_in_a_shipped_key_is_refused_by_a_gateway_that_runs()
    {
        await using var world = await World.StartAsync();
        var shipped = Shipped(Main).Set("Urls", "\"http://127.0.0.1:0\"").Set("Management:Url", "\"http://127.0.0.1:0\"");
        await using var gateway = await RunningGateway.StartAsync(world, new GatewayFolder(shipped));
        var routes = gateway.Services.GetRequiredService<SnapshotRoutes>().Current;
        foreach (var (file, key) in ShippedKeys.Select(row => row.Data))
        {
            var name = key[(key.LastIndexOf(':') + 1)..];
            var slip = Misspelling.Of(name).First();
            var good = gateway.Folder.Read(file);
            var advice = $"Did you mean \"{name}\"?";
            var told = gateway.Log.Count(LogLevel.Error, advice);
            gateway.Folder.Write(file, Renamed(JsonNode.Parse(good)!.AsObject(), key, slip).ToJsonString());
            await gateway.CheckForChangesAsync();

            Assert.True(gateway.IsConfigurationRefused, $"{file}: {key} as {slip}");
            Assert.Equal(told + 1, gateway.Log.Count(LogLevel.Error, advice));
            Assert.Same(routes, gateway.Services.GetRequiredService<SnapshotRoutes>().Current);
            gateway.Folder.Write(file, good);
        }
    }

    [Fact]
    public async Task A_slip_in_a_shipped_key_is_told_by_the_program_at_its_start_and_by_its_check()
    {
        using var folder = new GatewayFolder(Renamed(Shipped(Main), "ReverseProxy:Routes:organizations:AuthorizationPolicy", "AuthorizatonPolicy"));
        foreach (var arguments in (string[][])[["--config", folder.Path], ["check", "--config", folder.Path]])
        {
            var (exitCode, output) = await GatewayProcess.RunAsync(arguments);

            Assert.Equal(1, exitCode);
            Assert.Contains(
                "error ReverseProxy:Routes:organizations:AuthorizatonPolicy (appsettings.json:1): is not a known key. Did you mean \"AuthorizationPolicy\"?",
                output, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("Logging:Console:LogLevel", """{ "Default": "Debug" }""")]
    [InlineData("Logging:Console:LogLevel:Default", "\"Debug\"")]
    [InlineData("Logging:Console:FormatterName", "\"json\"")]
    [InlineData("Logging:Console:FormatterOptions:UseUtcTimestamp", "true")]
    [InlineData("Logging:Console:LogToStandardErrorThreshold", "\"Error\"")]
    [InlineData("Kestrel:Endpoints", """{ "Https": { "Url": "https://localhost:8443" } }""")]
    [InlineData("Kestrel:Endpoints:Https:Url", "\"https://localhost:8443\"")]
    [InlineData("Kestrel:Endpoints:Https:Certificate", """{ "Path": "a.pem" }""")]
    [InlineData("Kestrel:Endpoints:Https:Certificate:KeyPath", "\"a.key\"")]
    [InlineData("Kestrel:Endpoints:Https:Sni:*:SslProtocols", "[\"Tls13\"]")]
    [InlineData("Kestrel:EndpointDefaults:Protocols", "\"Http1\"")]
    [InlineData("Kestrel:Certificates:Default:Password", "\"hush\"")]
    [InlineData("ReverseProxy:Routes:organizations:Transforms:0:PathRemovePrefix", "\"/x\"")]
    [InlineData("ReverseProxy:Routes:organizations:Transforms:0:RequestHeaderOriginalHost", "true")]
    [InlineData("ReverseProxy:Routes:organizations:Transforms:0:HeaderPrefix", "\"X-\"")]
    [InlineData("ReverseProxy:Routes:organizations:Transforms:0:ResponseTrailersAllowed", "\"a\"")]
    [InlineData("ReverseProxy:Routes:organizations:Match:Headers:0:Mode", "\"Exists\"")]
    [InlineData("ReverseProxy:Routes:organizations:Match:QueryParameters:0:IsCaseSensitive", "true")]
    [InlineData("ReverseProxy:Clusters:organizations:HttpClient:MaxConnectionsPerServer", "5")]
    [InlineData("ReverseProxy:Clusters:organizations:HttpClient:WebProxy:BypassOnLocal", "true")]
    [InlineData("ReverseProxy:Clusters:organizations:HttpRequest:ActivityTimeout", "\"00:00:05\"")]
    [InlineData("ReverseProxy:Clusters:organizations:HealthCheck:Active:Interval", "\"00:00:05\"")]
    [InlineData("ReverseProxy:Clusters:organizations:SessionAffinity:Cookie:SameSite", "\"Lax\"")]
    public void A_slip_in_any_other_key_is_found_there_with_the_right_name(string key, string json)
    {
        var name = key[(key.LastIndexOf(':') + 1)..];
        using var configuration = new ConfigurationFixture();
        foreach (var slip in Misspelling.Of(name))
        {
            var path = key[..^name.Length] + slip;
            configuration.Write(Main, Example.Json);
            if (key.Contains("Transforms", StringComparison.Ordinal)) configuration.Set("ReverseProxy:Routes:organizations:Transforms", "[{}]");
            if (key.Contains("Headers", StringComparison.Ordinal)) configuration.Set("ReverseProxy:Routes:organizations:Match:Headers", "[{}]");
            if (key.Contains("QueryParameters", StringComparison.Ordinal)) configuration.Set("ReverseProxy:Routes:organizations:Match:QueryParameters", "[{}]");

            var read = configuration.Set(path, json).Load();

            Assert.Null(read.Snapshot);
            Assert.True(
                read.Findings.Any(finding => finding.Key == path && finding.Message.Contains($"Did you mean \"{name}\"?", StringComparison.Ordinal)),
                $"{path}:\n{string.Join('\n', read.Findings)}");
        }
    }

    [Theory]
    [InlineData("Logging:LogLevel:My.Category", "\"Trace\"")]
    [InlineData("Logging:LogLevel:Microsoft.AspNetCore.Routing", "\"none\"")]
    [InlineData("Logging:Elsewhere:Endpoint", "\"http://localhost\"")]
    [InlineData("Kestrel:AddServerHeader", "false")]
    [InlineData("Kestrel:Limits:MaxConcurrentConnections", "5")]
    public void A_name_like_none_that_is_known_is_free_where_the_section_is_others(string key, string json)
    {
        using var configuration = new ConfigurationFixture();
        configuration.Set(key, json).LoadGood();
    }

    [Theory]
    [InlineData("Logging:LogLevel:Default", "\"Verbose\"")]
    [InlineData("Logging:Console:LogLevel:Yarp", "\"Warn\"")]
    public void A_log_level_that_is_none_is_an_error(string key, string json)
    {
        using var configuration = new ConfigurationFixture();

        var finding = configuration.Set(key, json).LoadBad();

        Assert.Equal(key, finding.Key);
        Assert.Contains("Trace, Debug, Information, Warning, Error, Critical, None", finding.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Logging:Console:FormatterName", "\"jsn\"", "simple, json, systemd")]
    [InlineData("Logging:Console:FormatterName", "\"\"", "simple, json, systemd")]
    [InlineData("Logging:Console:FormatterOptions:SingleLine", "\"yes\"", "true or false")]
    [InlineData("Logging:Console:TimestampFormat", "\"HH:mm\"", "is not a known key")]
    [InlineData("Logging:Console:MaxQueueLength", "5000", "is not a known key")]
    [InlineData("Kestrel:EndpointDefaults:Certificate:Path", "\"a.pem\"", "is not a known key")]
    public void A_value_or_key_that_the_framework_reads_as_another_or_not_at_all_is_an_error(string key, string json, string told)
    {
        using var configuration = new ConfigurationFixture();

        Assert.Contains(told, configuration.Set(key, json).LoadBad().Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Authorization:Policies:OrganizationMember", "ReverseProxy:Routes:organizations:AuthorizationPolicy")]
    [InlineData("Authorization:Policies:IotOperator", "Management:AuthorizationPolicy")]
    [InlineData("RateLimiting:Policies:PerOrganization", "ReverseProxy:Routes:iot-endpoint-and-credentials:RateLimiterPolicy")]
    [InlineData("Cors:Policies:Web", "ReverseProxy:Routes:organizations:CorsPolicy")]
    [InlineData("ReverseProxy:Clusters:organizations", "ReverseProxy:Routes:organizations:ClusterId")]
    [InlineData("IotCredentials:Profiles:default", "ReverseProxy:Routes:iot-endpoint-and-credentials:Metadata:Profile")]
    [InlineData("Authentication:Schemes:Platform", "Authorization:Policies:IotOperator:Schemes:0")]
    public void A_name_that_was_changed_where_it_is_defined_is_missed_where_it_is_used(string definition, string use)
    {
        using var configuration = new ConfigurationFixture();
        configuration
            .Set("Management:AuthorizationPolicy", "\"IotOperator\"")
            .Set("ReverseProxy:Routes:organizations:CorsPolicy", "\"Web\"")
            .Set("Authorization:Policies:IotOperator:Schemes", """["Platform", "AzureAd"]""")
            .LoadGood();
        var good = File.ReadAllText(Path.Combine(configuration.Folder, Main));
        foreach (var slip in Misspelling.Of(definition[(definition.LastIndexOf(':') + 1)..]))
        {
            configuration.Write(Main, Renamed(JsonNode.Parse(good)!.AsObject(), definition, slip).ToJsonString());

            var read = configuration.Load();

            Assert.Null(read.Snapshot);
            Assert.True(
                read.Findings.Any(finding => finding.Key == use && finding.Message.Contains($"Did you mean \"{slip}\"?", StringComparison.Ordinal)),
                $"{definition} as {slip}:\n{string.Join('\n', read.Findings)}");
        }
    }

    private static JsonObject Shipped(string file) =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(s_folder, file)), documentOptions: s_withComments)!.AsObject();

    private static IEnumerable<string> KeysOf(JsonNode? node, string path)
    {
        var children = node switch
        {
            JsonObject section => section.Select(member => (Name: member.Key, member.Value, IsKey: true)),
            JsonArray list => list.Select((item, index) => (Name: index.ToString(CultureInfo.InvariantCulture), Value: item, IsKey: false)),
            _ => [],
        };
        foreach (var (name, value, isKey) in children)
        {
            var key = path.Length == 0 ? name : $"{path}:{name}";
            if (isKey) yield return key;
            foreach (var below in KeysOf(value, key)) yield return below;
        }
    }

    private static JsonObject Renamed(JsonObject root, string key, string name)
    {
        JsonNode section = root;
        var names = key.Split(':');
        foreach (var parent in names[..^1])
            section = section is JsonArray list ? list[int.Parse(parent, CultureInfo.InvariantCulture)]! : section[parent]!;
        var value = section[names[^1]];
        section.AsObject().Remove(names[^1]);
        section[name] = value;
        return root;
    }

    // "Statement:0:Effect" as the policy's reader says it.
    private static string InTemplate(string path) => ListItem().Replace(path, "[$1]").Replace(':', '.');

    [GeneratedRegex(":([0-9]+)")]
    private static partial Regex ListItem();

    [GeneratedRegex(
        "^(Authentication:Schemes|Authorization:Policies|RateLimiting:Policies|Cors:Policies|IotCredentials:(Profiles|Organizations)|AzureAd:Tenants"
        + "|IotCredentials:(Profiles|Organizations):[^:]*:SessionTags|ReverseProxy:(Routes|Clusters)|ReverseProxy:Clusters:[^:]*:Destinations):[^:]*$")]
    private static partial Regex OperatorsName();
}
