using Xunit;

namespace Gateway.Tests.Configuration;

public sealed class SourceTests : IDisposable
{
    private readonly ConfigurationFixture _configuration = new();

    public void Dispose() => _configuration.Dispose();

    [Fact]
    public void Load_EnvironmentFile_IsLaidOverMainFile()
    {
        _configuration.Write("appsettings.Staging.json", """{ "management": { "URL": "http://localhost:9191" } }""");

        var snapshot = _configuration.LoadGood("Staging");

        Assert.Equal("http://localhost:9191", snapshot.Options.Management.Url);
        Assert.Equal("appsettings.Staging.json:1", snapshot.SourceOf("Management:Url"));
        Assert.Matches("^appsettings.json:[0-9]+$", snapshot.SourceOf("Shutdown:Delay"));
        Assert.Equal("http://localhost:9090", _configuration.LoadGood("Production").Options.Management.Url);
    }

    [Fact]
    public void Load_ListInLaterLayer_ReplacesEarlierOneWhole()
    {
        _configuration.Set("Authentication:Schemes:Platform:ValidAudiences", """["one", "two", "three"]""");
        _configuration.Write("appsettings.Staging.json", """{ "Authentication": { "Schemes": { "Platform": { "ValidAudiences": ["four"] } } } }""");

        var snapshot = _configuration.LoadGood("Staging");

        Assert.Equal(["four"], snapshot.Options.Authentication.Schemes["Platform"].ValidAudiences);
        Assert.DoesNotContain("Authentication:Schemes:Platform:ValidAudiences:1", snapshot.Values.Keys);
    }

    [Fact]
    public void Load_ListsInVariablesAndOnCommandLine_ReplaceEarlierOnesWhole()
    {
        _configuration.Variables["EDGE__METHODS__0"] = "GET";
        _configuration.Variables["Cors__Policies__Web__Headers__0"] = "x-one";
        _configuration.Arguments.AddRange(["--Cors:Policies:Web:Headers:0", "x-two", "Cors:Policies:Web:Headers:1=x-three"]);

        var snapshot = _configuration.LoadGood();

        Assert.Equal(["GET"], snapshot.Options.Edge.Methods);
        Assert.Equal(["x-two", "x-three"], snapshot.Options.Cors.Policies["Web"].Headers);
        Assert.Equal("environment variable EDGE__METHODS__0", snapshot.SourceOf("Edge:Methods:0"));
        Assert.Equal("command line", snapshot.SourceOf("Cors:Policies:Web:Headers:1"));
    }

    [Fact]
    public void Load_ItemOfAListInAVariable_IsNotLaidOverTheList()
    {
        _configuration.Variables["Edge__Methods__1"] = "GET";

        Assert.Equal("Edge:Methods:1", _configuration.LoadBad().Key);
    }

    [Fact]
    public void Load_EmptyLists_AreKept()
    {
        _configuration.Set("Authentication:Schemes:Platform:Organizations:Only", "[]").Set("Edge:TrustedProxies", """["10.0.0.1"]""");
        _configuration.Variables["Edge__TrustedProxies"] = "";

        var snapshot = _configuration.LoadGood();

        Assert.Equal([], snapshot.Options.Authentication.Schemes["Platform"].Organizations!.Only!);
        Assert.Equal("", snapshot.Values["Authentication:Schemes:Platform:Organizations:Only"]);
        Assert.Empty(snapshot.Options.Edge.TrustedProxies);
    }

    [Fact]
    public void Load_Null_UnsaysEarlierLayers()
    {
        _configuration.Write("appsettings.Staging.json", """
            { "Sealing": { "KeyPath": null }, "ConnectionStrings": null, "Edge": { "UpgradesPerCaller": null },
              "Shutdown": { "Timeout": null }, "RateLimiting": { "Policies": { "PerOrganization": null } },
              "ReverseProxy": { "Routes": { "iot-endpoint-and-credentials": { "RateLimiterPolicy": null } } } }
            """);

        var snapshot = _configuration.LoadGood("Staging");

        Assert.Null(snapshot.Options.Sealing.KeyPath);
        Assert.Null(snapshot.Options.ConnectionStrings.Redis);
        Assert.Equal(100, snapshot.Options.Edge.UpgradesPerCaller);
        Assert.Equal(TimeSpan.FromSeconds(30), snapshot.Options.Shutdown.Timeout);
        Assert.Empty(snapshot.Options.RateLimiting.Policies);
        Assert.DoesNotContain(snapshot.Values.Keys, key => key.StartsWith("ConnectionStrings:", StringComparison.Ordinal));
    }

    [Fact]
    public void Load_NullOfANullableOption_IsAValue()
    {
        _configuration.Set("IotCredentials:Organizations:o-dedicated:IotEndpoint", "null");

        var values = _configuration.LoadGood().Values;

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
        _configuration.Variables["Shutdown__Delay"] = "00:00:05";
        _configuration.Arguments.Add(first);
        if (second is not null) _configuration.Arguments.Add(second);

        Assert.Equal(TimeSpan.FromSeconds(7), _configuration.LoadGood().Options.Shutdown.Delay);
    }

    [Theory]
    [InlineData("secret-without-key", "argument 3 is no key")]
    [InlineData("--Shutdown:Delay", "has no value")]
    public void Load_ArgumentThatIsNoKey_IsAnErrorThatDoesNotRepeatIt(string argument, string expected)
    {
        _configuration.Arguments.Add(argument);

        var finding = _configuration.LoadBad();

        Assert.Contains(expected, finding.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", finding.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_TheHostsOwnArguments_AreUnknownKeys()
    {
        _configuration.Arguments.AddRange(["--environment", "Staging"]);

        Assert.Equal("environment", _configuration.LoadBad().Key);
    }

    [Fact]
    public void Load_Variables_CountOnlyWhenTheyMeanTheGateway()
    {
        _configuration.Variables["PATH"] = "/bin";
        _configuration.Variables["SHUTDOWN"] = "yes";
        _configuration.Variables["DOTNET__SOMETHING"] = "1";
        _configuration.Variables["ASPNETCORE_ENVIRONMENT"] = "x";
        _configuration.Variables["MY__APP__URL"] = "1";
        _configuration.Variables["URLS"] = "http://localhost:8181";

        Assert.Equal("http://localhost:8181", _configuration.LoadGood().Options.Urls);
    }

    [Theory]
    [InlineData("Shutdown__Delay")]
    [InlineData("Shutdown:Delay")]
    [InlineData("shutdown:delay")]
    [InlineData("ReverseProxy:Routes:organizations:Timeout")]
    [InlineData("ReverseProxy__Routes:organizations__Timeout")]
    [InlineData("ReverseProxy:Routes__organizations:Timeout")]
    public void Load_VariableWithEitherSeparator_IsRead(string name)
    {
        _configuration.Variables[name] = "00:00:07";

        var snapshot = _configuration.LoadGood();

        Assert.Equal("00:00:07", snapshot.Values[name.Replace("__", ":", StringComparison.Ordinal)]);
    }

    [Theory]
    [InlineData("Shutdwn:Delay", "Shutdwn")]
    [InlineData("Shutdown:Dely", "Shutdown:Dely")]
    [InlineData("Shutdown:Delay__More", "Shutdown:Delay")]
    public void Load_MisspeltVariableWithAColon_IsAnError(string name, string key)
    {
        _configuration.Variables[name] = "00:00:07";

        Assert.Equal(key, _configuration.LoadBad().Key);
    }

    [Fact]
    public void Load_VariableThatNearlyMeansASection_IsAnError()
    {
        _configuration.Variables["AUTHENTICATON__Schemes__X__Authority"] = "https://x";

        var finding = _configuration.LoadBad();

        Assert.Equal("AUTHENTICATON", finding.Key);
        Assert.Equal("environment variable AUTHENTICATON__Schemes__X__Authority", finding.Source);
        Assert.Contains("\"Authentication\"", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_VariablesThatDifferInCase_AreAnError()
    {
        _configuration.Variables["Shutdown__Delay"] = "00:00:01";
        _configuration.Variables["SHUTDOWN__DELAY"] = "00:00:02";

        Assert.Contains("given twice", _configuration.LoadBad().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_VariableBothValueAndSection_IsAnError()
    {
        _configuration.Variables["Edge__Methods"] = "GET";
        _configuration.Variables["Edge__Methods__0"] = "GET";

        Assert.Contains(_configuration.Load().Findings, finding => finding.Message.Contains("both a value and keys below", StringComparison.Ordinal));
    }

    [Fact]
    public void Load_TelemetryVariables_PassThrough()
    {
        _configuration.Variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://localhost:4317";

        Assert.Equal("http://localhost:4317", _configuration.LoadGood().Values["OTEL_EXPORTER_OTLP_ENDPOINT"]);
    }

    [Fact]
    public void Load_OperatorsNames_KeepTheirCase()
    {
        _configuration.Set("IotCredentials:Profiles:BigOne", """
            { "RoleArn": "arn:aws:iam::111122223333:role/iot", "SessionPolicy": "policies/organization.json", "SessionTags": { "costCenter": "a" } }
            """);
        _configuration.Variables["IOTCREDENTIALS__PROFILES__BIGONE__REGION"] = "eu-west-1";

        var profile = _configuration.LoadGood().Options.IotCredentials.Profiles["BigOne"];

        Assert.Equal("eu-west-1", profile.Region);
        Assert.Equal(["costCenter"], profile.SessionTags.Keys);
    }

    [Fact]
    public void Load_OrganizationsThatDifferInCase_AreAnErrorInOneFile()
    {
        _configuration.Set("IotCredentials:Organizations:O-Dedicated", """{ "Region": "eu-west-1" }""");

        Assert.Contains("differs only in case from \"o-dedicated\"", _configuration.LoadBad().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_OrganizationsThatDifferInCase_AreAnErrorAcrossLayers()
    {
        _configuration.Variables["IotCredentials__Organizations__O-Dedicated__Region"] = "eu-west-1";

        var finding = _configuration.LoadBad();

        Assert.Equal("IotCredentials:Organizations:O-Dedicated", finding.Key);
        Assert.Equal("environment variable IotCredentials__Organizations__O-Dedicated__Region", finding.Source);
    }

    [Fact]
    public void Load_OrganizationsThatDifferInCase_AreAnErrorAmongVariables()
    {
        _configuration.Variables["IotCredentials__Organizations__o-x__Region"] = "eu-west-1";
        _configuration.Variables["IotCredentials__Organizations__O-X__RoleArn"] = "arn:aws:iam::111122223333:role/iot";

        Assert.Contains("differs only in case", _configuration.LoadBad().Message, StringComparison.Ordinal);
    }
}
