using Xunit;

namespace Gateway.Tests.Configuration;

public sealed class SourceTests : IDisposable
{
    private readonly ConfigurationFixture configuration = new();

    public void Dispose() => configuration.Dispose();

    [Fact]
    public void Load_EnvironmentFile_IsLaidOverMainFile()
    {
        configuration.Write("appsettings.Staging.json", """{ "management": { "URL": "http://localhost:9191" } }""");

        var snapshot = configuration.LoadGood("Staging");

        Assert.Equal("http://localhost:9191", snapshot.Options.Management.Url);
        Assert.Equal("appsettings.Staging.json:1", snapshot.SourceOf("Management:Url"));
        Assert.Matches("^appsettings.json:[0-9]+$", snapshot.SourceOf("Shutdown:Delay"));
        Assert.Equal("http://localhost:9090", configuration.LoadGood("Production").Options.Management.Url);
    }

    [Fact]
    public void Load_ListInLaterLayer_ReplacesEarlierOneWhole()
    {
        configuration.Set("Authentication:Schemes:Platform:ValidAudiences", """["one", "two", "three"]""");
        configuration.Write("appsettings.Staging.json", """{ "Authentication": { "Schemes": { "Platform": { "ValidAudiences": ["four"] } } } }""");

        var snapshot = configuration.LoadGood("Staging");

        Assert.Equal(["four"], snapshot.Options.Authentication.Schemes["Platform"].ValidAudiences);
        Assert.DoesNotContain("Authentication:Schemes:Platform:ValidAudiences:1", snapshot.Values.Keys);
    }

    [Fact]
    public void Load_ListsInVariablesAndOnCommandLine_ReplaceEarlierOnesWhole()
    {
        configuration.Variables["EDGE__METHODS__0"] = "GET";
        configuration.Variables["Cors__Policies__Web__Headers__0"] = "x-one";
        configuration.Arguments.AddRange(["--Cors:Policies:Web:Headers:0", "x-two", "Cors:Policies:Web:Headers:1=x-three"]);

        var snapshot = configuration.LoadGood();

        Assert.Equal(["GET"], snapshot.Options.Edge.Methods);
        Assert.Equal(["x-two", "x-three"], snapshot.Options.Cors.Policies["Web"].Headers);
        Assert.Equal("environment variable EDGE__METHODS__0", snapshot.SourceOf("Edge:Methods:0"));
        Assert.Equal("command line", snapshot.SourceOf("Cors:Policies:Web:Headers:1"));
    }

    [Fact]
    public void Load_ItemOfAListInAVariable_IsNotLaidOverTheList()
    {
        configuration.Variables["Edge__Methods__1"] = "GET";

        Assert.Equal("Edge:Methods:1", configuration.LoadBad().Key);
    }

    [Fact]
    public void Load_EmptyLists_AreKept()
    {
        configuration.Set("Authentication:Schemes:Platform:Organizations:Only", "[]").Set("Edge:TrustedProxies", """["10.0.0.1"]""");
        configuration.Variables["Edge__TrustedProxies"] = "";

        var snapshot = configuration.LoadGood();

        Assert.Equal([], snapshot.Options.Authentication.Schemes["Platform"].Organizations!.Only!);
        Assert.Equal("", snapshot.Values["Authentication:Schemes:Platform:Organizations:Only"]);
        Assert.Empty(snapshot.Options.Edge.TrustedProxies);
    }

    [Fact]
    public void Load_Null_UnsaysEarlierLayers()
    {
        configuration.Write("appsettings.Staging.json", """
            { "Sealing": { "KeyPath": null }, "ConnectionStrings": null, "Edge": { "Methods": null },
              "Shutdown": { "Timeout": null }, "RateLimiting": { "Policies": { "PerOrganization": null } },
              "ReverseProxy": { "Routes": { "iot-endpoint-and-credentials": { "RateLimiterPolicy": null } } } }
            """);

        var snapshot = configuration.LoadGood("Staging");

        Assert.Null(snapshot.Options.Sealing.KeyPath);
        Assert.Null(snapshot.Options.ConnectionStrings.Redis);
        Assert.Equal(7, snapshot.Options.Edge.Methods.Count);
        Assert.Equal(TimeSpan.FromSeconds(30), snapshot.Options.Shutdown.Timeout);
        Assert.Empty(snapshot.Options.RateLimiting.Policies);
        Assert.DoesNotContain(snapshot.Values.Keys, key => key.StartsWith("ConnectionStrings:", StringComparison.Ordinal));
    }

    [Fact]
    public void Load_NullOfANullableOption_IsAValue()
    {
        configuration.Set("IotCredentials:Organizations:o-dedicated:IotEndpoint", "null");

        var values = configuration.LoadGood().Values;

        Assert.True(values.TryGetValue("IotCredentials:Organizations:o-dedicated:IotEndpoint", out var endpoint));
        Assert.Null(endpoint);
        Assert.True(values.ContainsKey("IotCredentials:Profiles:default:ExternalId"));
    }

    [Theory]
    [InlineData("--Shutdown:Delay", "00:00:07")]
    [InlineData("--shutdown:delay=00:00:07", null)]
    [InlineData("SHUTDOWN:DELAY=00:00:07", null)]
    public void Load_CommandLine_WinsOverVariables(string first, string? second)
    {
        configuration.Variables["Shutdown__Delay"] = "00:00:05";
        configuration.Arguments.Add(first);
        if (second is not null) configuration.Arguments.Add(second);

        Assert.Equal(TimeSpan.FromSeconds(7), configuration.LoadGood().Options.Shutdown.Delay);
    }

    [Theory]
    [InlineData("secret-without-key", "argument 3 is no key")]
    [InlineData("--Shutdown:Delay", "has no value")]
    public void Load_ArgumentThatIsNoKey_IsAnErrorThatDoesNotRepeatIt(string argument, string expected)
    {
        configuration.Arguments.Add(argument);

        var finding = configuration.LoadBad();

        Assert.Contains(expected, finding.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", finding.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_TheHostsOwnArguments_AreUnknownKeys()
    {
        configuration.Arguments.AddRange(["--environment", "Staging"]);

        Assert.Equal("environment", configuration.LoadBad().Key);
    }

    [Fact]
    public void Load_Variables_CountOnlyWhenTheyMeanTheGateway()
    {
        configuration.Variables["PATH"] = "/bin";
        configuration.Variables["SHUTDOWN"] = "yes";
        configuration.Variables["DOTNET__SOMETHING"] = "1";
        configuration.Variables["ASPNETCORE_ENVIRONMENT"] = "x";
        configuration.Variables["MY__APP__URL"] = "1";
        configuration.Variables["URLS"] = "http://localhost:8181";

        Assert.Equal("http://localhost:8181", configuration.LoadGood().Options.Urls);
    }

    [Fact]
    public void Load_VariableThatNearlyMeansASection_IsAnError()
    {
        configuration.Variables["AUTHENTICATON__Schemes__X__Authority"] = "https://x";

        var finding = configuration.LoadBad();

        Assert.Equal("AUTHENTICATON", finding.Key);
        Assert.Equal("environment variable AUTHENTICATON__Schemes__X__Authority", finding.Source);
        Assert.Contains("\"Authentication\"", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_VariablesThatDifferInCase_AreAnError()
    {
        configuration.Variables["Shutdown__Delay"] = "00:00:01";
        configuration.Variables["SHUTDOWN__DELAY"] = "00:00:02";

        Assert.Contains("given twice", configuration.LoadBad().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_VariableBothValueAndSection_IsAnError()
    {
        configuration.Variables["Edge__Methods"] = "GET";
        configuration.Variables["Edge__Methods__0"] = "GET";

        Assert.Contains(configuration.Load().Findings, finding => finding.Message.Contains("both a value and keys below", StringComparison.Ordinal));
    }

    [Fact]
    public void Load_TelemetryVariables_PassThrough()
    {
        configuration.Variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://localhost:4317";

        Assert.Equal("http://localhost:4317", configuration.LoadGood().Values["OTEL_EXPORTER_OTLP_ENDPOINT"]);
    }

    [Fact]
    public void Load_OperatorsNames_KeepTheirCase()
    {
        configuration.Set("IotCredentials:Profiles:BigOne", """
            { "RoleArn": "arn:aws:iam::111122223333:role/iot", "SessionPolicy": "policies/organization.json", "SessionTags": { "costCenter": "a" } }
            """);
        configuration.Variables["IOTCREDENTIALS__PROFILES__BIGONE__REGION"] = "eu-west-1";

        var profile = configuration.LoadGood().Options.IotCredentials.Profiles["BigOne"];

        Assert.Equal("eu-west-1", profile.Region);
        Assert.Equal(["costCenter"], profile.SessionTags.Keys);
    }

    [Fact]
    public void Load_OrganizationsThatDifferInCase_AreAnErrorInOneFile()
    {
        configuration.Set("IotCredentials:Organizations:O-Dedicated", """{ "Region": "eu-west-1" }""");

        Assert.Contains("differs only in case from \"o-dedicated\"", configuration.LoadBad().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_OrganizationsThatDifferInCase_AreAnErrorAcrossLayers()
    {
        configuration.Variables["IotCredentials__Organizations__O-Dedicated__Region"] = "eu-west-1";

        var finding = configuration.LoadBad();

        Assert.Equal("IotCredentials:Organizations:O-Dedicated", finding.Key);
        Assert.Equal("environment variable IotCredentials__Organizations__O-Dedicated__Region", finding.Source);
    }

    [Fact]
    public void Load_OrganizationsThatDifferInCase_AreAnErrorAmongVariables()
    {
        configuration.Variables["IotCredentials__Organizations__o-x__Region"] = "eu-west-1";
        configuration.Variables["IotCredentials__Organizations__O-X__RoleArn"] = "arn:aws:iam::111122223333:role/iot";

        Assert.Contains("differs only in case", configuration.LoadBad().Message, StringComparison.Ordinal);
    }
}
