using Testing;
using Xunit;

namespace Gateway.Tests.Commands.Check;

/// <summary><c>check</c>: findings, then the routes as they work.</summary>
public sealed class CheckTests(CheckTests.Shared shared) : IClassFixture<CheckTests.Shared>
{
    [Fact]
    public async Task Routes_are_listed_in_the_order_in_which_requests_meet_them()
    {
        using var folder = shared.World.Folder(settings => settings
            .Route("any-method", "/reports/{id}")
            .Route("one-method", "/reports/{id}", """{ "Match": { "Methods": ["GET"] } }""")
            .Route("one-host", "/reports/{id}", """{ "Match": { "Hosts": ["api.example.com"] } }""")
            .Route("with-header", "/reports/{id}", """{ "Match": { "Headers": [{ "Name": "X-Version", "Values": ["2"] }] } }""")
            .Route("with-query", "/reports/{id}", """{ "Match": { "QueryParameters": [{ "Name": "draft", "Mode": "Exists" }] } }""")
            .Route("literal", "/reports/yearly")
            .Route("last", "/reports/yearly/{**rest}", """{ "Order": 1 }""")
            .Route("first", "/audits/{**rest}", """{ "Order": -1 }"""));

        var check = await CommandResult.RunAsync(["check", "--config", folder.Path, "--format", "json"]);

        var routes = check.Json.GetProperty("routes").EnumerateArray().Select(route => route.GetProperty("route").GetString()!).ToList();
        string[] expected = ["first", "literal", "one-method", "one-host", "with-header", "with-query", "any-method", "last"];
        Assert.Equal(expected, routes.Where(expected.Contains));
        Assert.Equal(0, check.ExitCode);
        Assert.Equal("", check.Error);
    }

    [Fact]
    public async Task A_route_says_everything_that_it_works_by()
    {
        using var folder = shared.World.Folder(settings => settings
            .Set("RateLimiting:Policies:Slow", """{ "Algorithm": "SlidingWindow", "PartitionBy": "Subject", "PermitLimit": 5, "Window": "00:01:00" }""")
            .Set("Cors:Policies:Web", """{ "Origins": ["https://app.example.com"], "Methods": ["PUT"], "Headers": ["authorization"] }""")
            .Set("ReverseProxy:Clusters:organizations:Destinations:a:Address", "\"http://reader:hunter2@localhost:5001/\"")
            .Route("reports", "/reports/{**rest}", """
                {
                  "Match": {
                    "Methods": ["PUT"], "Hosts": ["api.example.com"],
                    "Headers": [{ "Name": "X-Version", "Values": ["2", "3"], "Mode": "HeaderPrefix" }],
                    "QueryParameters": [{ "Name": "draft", "Mode": "Exists" }]
                  },
                  "RateLimiterPolicy": "Slow", "CorsPolicy": "Web", "Timeout": "00:00:07", "MaxRequestBodySize": 1234, "Metadata": { "IpAllow": "10.0.0.0/8" }
                }
                """)
            .Route("operators", "/organizations/{organizationId}/operators", """{ "AuthorizationPolicy": "IotOperator" }""")
            .Route("open", "/open/{**rest}", """{ "AuthorizationPolicy": "Anonymous" }""")
            .Route("any", "/any/{organizationId}", """{ "Metadata": { "AnyOrganization": "true" } }"""));

        var check = await CommandResult.RunAsync(["check", "--config", folder.Path]);

        Assert.True(check.ExitCode == 0, check.Error);
        Assert.Contains("""
              reports
               path        /reports/{**rest}
               methods     PUT
               hosts       api.example.com
               headers     X-Version begins with …
               query       draft is present
               policy      any authenticated caller
               limit       Slow: 5 per 00:01:00 for each caller, SlidingWindow, counted per process
               CORS        Web: from https://app.example.com, methods PUT, headers authorization
               timeout     00:00:07
               body        at most 1234 bytes
               clients     only 10.0.0.0/8
               target      cluster organizations: http://localhost:5001/

            """[2..].Replace("\n            ", "\n", StringComparison.Ordinal), check.Output, StringComparison.Ordinal);
        Assert.Contains(
            "policy      IotOperator: the route's organization must be one of the caller's; any of the scopes iot.connect; any of the roles operator\n",
            check.Output,
            StringComparison.Ordinal);
        Assert.Contains("policy      !! ANYONE, without a token (Anonymous)\n", check.Output, StringComparison.Ordinal);
        Assert.Contains("policy      any authenticated caller, whatever the organization\n", check.Output, StringComparison.Ordinal);
        Assert.Contains("target      module IotCredentials, profile default\n", check.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", check.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text")]
    [InlineData("json")]
    public async Task With_an_error_there_are_findings_and_no_routes(string format)
    {
        using var folder = shared.World.Folder(settings => settings.Set("ReverseProxy:Routes:organizations:AuthorizationPolicy", "\"None\""));

        var check = await CommandResult.RunAsync(["check", "--config", folder.Path, "--format", format]);

        Assert.Equal(1, check.ExitCode);
        if (format == "json")
        {
            var finding = Assert.Single(check.Json.GetProperty("findings").EnumerateArray());
            Assert.Equal(("error", "ReverseProxy:Routes:organizations:AuthorizationPolicy", "appsettings.json:1"),
                (finding.GetProperty("severity").GetString(), finding.GetProperty("key").GetString(), finding.GetProperty("source").GetString()));
            Assert.False(check.Json.TryGetProperty("routes", out _));
            Assert.Equal("", check.Error);
        }
        else
        {
            Assert.StartsWith("error ReverseProxy:Routes:organizations:AuthorizationPolicy (appsettings.json:1): ", check.Error, StringComparison.Ordinal);
            Assert.Equal("", check.Output);
        }
    }

    [Fact]
    public async Task A_warning_is_said_and_the_routes_are_listed_all_the_same()
    {
        using var folder = shared.World.Folder(settings => settings.Set("IotCredentials:Profiles:default:SessionDuration", "\"02:00:00\""));

        var check = await CommandResult.RunAsync(["check", "--config", folder.Path]);

        Assert.Equal(0, check.ExitCode);
        Assert.StartsWith("warning IotCredentials:Profiles:default:SessionDuration (", check.Error, StringComparison.Ordinal);
        Assert.Contains("iot-endpoint-and-credentials", check.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A16_routes_written_for_YARP_alone_are_told_once_what_changes()
    {
        static void Change(System.Text.Json.Nodes.JsonObject settings)
        {
            settings["ReverseProxy"]!["Routes"]!.AsObject().Remove("organizations");
            settings.Route("one", "/one/{**rest}").Route("two", "/two/{**rest}");
        }

        using var plain = shared.World.Folder(Change);
        // A policy by this name is YARP's own.
        using var partlyOpen = shared.World.Folder(settings =>
        {
            Change(settings);
            settings.Set("ReverseProxy:Routes:two:AuthorizationPolicy", "\"anonymous\"");
        });
        using var adapted = shared.World.Folder(settings =>
        {
            Change(settings);
            settings.Set("ReverseProxy:Routes:two:Metadata", """{ "ForwardCookies": "true" }""");
        });

        var told = await CommandResult.RunAsync(["check", "--config", plain.Path]);
        var toldOfOne = await CommandResult.RunAsync(["check", "--config", partlyOpen.Path]);
        var untold = await CommandResult.RunAsync(["check", "--config", adapted.Path]);

        Assert.Equal(0, told.ExitCode);
        var line = Assert.Single(told.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("warning ReverseProxy:Routes (appsettings.json", line, StringComparison.Ordinal);
        Assert.Contains("2 of 2 forwarded routes need a token", line, StringComparison.Ordinal);
        Assert.Contains("ForwardAuthorization", line, StringComparison.Ordinal);
        Assert.Contains("1 of 2 forwarded routes need a token", toldOfOne.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("YARP", untold.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task F12_the_layers_that_were_read_are_printed()
    {
        using var folder = shared.World.Folder();

        var text = await CommandResult.RunAsync(["check", "--config", folder.Path, "--Shutdown:Timeout", "00:00:31"]);
        var json = await CommandResult.RunAsync(
            ["check", "--config", folder.Path, "--format", "json"], new Dictionary<string, string> { ["ASPNETCORE_ENVIRONMENT"] = "prod" });

        Assert.Matches(
            @"^Layers, each overriding those before it: appsettings\.json \(\d+ keys\), appsettings\.Production\.json \(not there\), "
                + @"environment variables \(no keys\), command line \(1 key\)\.",
            text.Output);
        Assert.Equal(
            ["appsettings.json", "appsettings.prod.json", "environment variables", "command line"],
            json.Json.GetProperty("layers").EnumerateArray().Select(layer => layer.GetProperty("name").GetString()));
        Assert.Contains("is not there", json.Json.GetProperty("findings")[0].GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text")]
    [InlineData("json")]
    public async Task A_folder_that_is_not_there_cannot_be_read(string format)
    {
        var check = await CommandResult.RunAsync(["check", "--config", "/nowhere", "--format", format]);

        Assert.Equal(2, check.ExitCode);
        Assert.Contains("/nowhere", format == "json" ? check.Output : check.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--format")]
    [InlineData("--format", "xml")]
    [InlineData("--config")]
    [InlineData("--formt", "json")]
    [InlineData("json")]
    [InlineData("--Shutdown:Delay")]
    public async Task What_cannot_be_understood_is_an_error(params string[] arguments)
    {
        using var folder = shared.World.Folder();

        var check = await CommandResult.RunAsync(["check", .. arguments], new Dictionary<string, string> { ["GATEWAY_CONFIG"] = folder.Path });

        Assert.Equal(1, check.ExitCode);
        Assert.NotEqual("", check.Error);
        Assert.Equal("", check.Output);
    }

    [Fact]
    public async Task Keys_of_the_configuration_stand_beside_the_options_in_any_order_and_form()
    {
        using var folder = shared.World.Folder();

        var check = await CommandResult.RunAsync([
            "check", "--config", "/nowhere", "--ReverseProxy:Routes:organizations:Timeout", "00:00:09", "--format", "json",
            "--ReverseProxy:Routes:organizations:Order=7", "ReverseProxy:Routes:organizations:AuthorizationPolicy=IotOperator", "--config", folder.Path]);

        var route = check.Json.GetProperty("routes").EnumerateArray().Last();
        Assert.Equal(
            (7, "00:00:09", "IotOperator"),
            (route.GetProperty("match").GetProperty("order").GetInt32(), route.GetProperty("timeout").GetString(), route.GetProperty("policy").GetString()));
    }

    [Fact]
    public async Task A_destination_that_is_probed_for_its_health_is_not_asked()
    {
        using var folder = shared.World.Folder(settings => settings
            .Set("ReverseProxy:Clusters:organizations:HealthCheck", """{ "Active": { "Enabled": true, "Path": "/probed" } }"""));

        var check = await CommandResult.RunAsync(["check", "--config", folder.Path]);

        Assert.Equal(0, check.ExitCode);
        Assert.DoesNotContain(shared.World.Downstream.Requests.Snapshot(), request => request.Target.StartsWith("/probed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_word_of_a_command_can_be_the_value_of_a_key()
    {
        using var folder = shared.World.Folder();

        var (exitCode, output) = await GatewayProcess.RunAsync(["--config", folder.Path, "--Management:AuthorizationPolicy", "check"]);

        Assert.Equal(1, exitCode);
        Assert.StartsWith("error Management:AuthorizationPolicy (command line): ", output, StringComparison.Ordinal);
    }

    public sealed class Shared : IAsyncLifetime
    {
        public World World { get; private set; } = null!;

        public async ValueTask InitializeAsync() => World = await World.StartAsync();

        public ValueTask DisposeAsync() => World.DisposeAsync();
    }
}
