using Gateway.Configuration;
using Gateway.Configuration.Loading;
using Xunit;

namespace Gateway.Tests.Configuration;

public sealed class ConfigurationFolderTests : IDisposable
{
    private readonly ConfigurationFixture _configuration = new();

    public void Dispose() => _configuration.Dispose();

    [Fact]
    public void Load_DocumentedExample_HasNoFindings()
    {
        var snapshot = _configuration.LoadGood();

        Assert.Equal("https://id.example.com", snapshot.Options.Authentication.Schemes["Platform"].Authority);
        Assert.Equal(TimeSpan.FromHours(1), snapshot.Options.IotCredentials.Profiles["default"].SessionDuration);
        Assert.Equal(2, snapshot.Routes.Count);
        Assert.Equal(["organizations"], snapshot.Clusters.Select(cluster => cluster.ClusterId));
        Assert.Equal(["policies/organization.json"], snapshot.Files.Keys);
        Assert.Equal(_configuration.Folder, snapshot.Folder);
    }

    [Fact]
    public void Load_AlmostNothing_HasDocumentedDefaults()
    {
        _configuration.Write("appsettings.json", "{}");

        var result = _configuration.Load();

        var options = result.Snapshot!.Options;
        Assert.Equal([Severity.Warning], result.Findings.Select(finding => finding.Severity));
        Assert.Equal("http://localhost:8080", options.Urls);
        Assert.Equal("http://localhost:8080", result.Snapshot.Values["Urls"]);
        Assert.Equal("http://localhost:9090", options.Management.Url);
        Assert.Null(options.Management.AuthorizationPolicy);
        Assert.Equal(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], options.Edge.Methods);
        Assert.Equal(100, options.Edge.FailedAuthentications.PermitLimit);
        Assert.Equal(TimeSpan.FromMinutes(1), options.Edge.FailedAuthentications.Window);
        Assert.Equal(TimeSpan.Zero, options.Shutdown.Delay);
        Assert.Equal(TimeSpan.FromSeconds(30), options.Shutdown.Timeout);
        Assert.Null(options.AzureAd);
    }

    [Fact]
    public void Load_KestrelEndpoints_PublishesNoDefaultUrls()
    {
        _configuration.Set("Urls", null).Set("Kestrel:Endpoints:Http:Url", "\"http://*:8080\"");

        Assert.DoesNotContain("Urls", _configuration.LoadGood().Values.Keys);
    }

    [Fact]
    public void Load_FolderInVariable_IsUsed()
    {
        _configuration.Variables["GATEWAY_CONFIG"] = _configuration.Folder;

        var result = ConfigurationFolder.Load([], "Production", _configuration.Variables);

        Assert.Equal(_configuration.Folder, result.Snapshot!.Folder);
    }

    [Fact]
    public void Load_FolderMissing_CannotRead()
    {
        var result = ConfigurationFolder.Load(["--config=/does/not/exist"], "Production", _configuration.Variables);

        Assert.True(result.CannotRead);
        Assert.Contains("/does/not/exist", Assert.Single(result.Findings).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_MainFileMissing_CannotRead()
    {
        File.Delete(Path.Combine(_configuration.Folder, "appsettings.json"));

        var result = _configuration.Load();

        Assert.True(result.CannotRead);
        Assert.Contains("is not there", Assert.Single(result.Findings).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_EnvironmentFileThatLeadsNowhere_CannotRead()
    {
        File.CreateSymbolicLink(Path.Combine(_configuration.Folder, "appsettings.Staging.json"), "missing");

        Assert.True(_configuration.Load("Staging").CannotRead);
        Assert.Empty(_configuration.Load("../Staging").Findings);
    }

    [Fact]
    public void Load_OtherLayers_AreJudgedThoughAFileIsNot()
    {
        _configuration.Write("appsettings.json", "{");
        _configuration.Variables["Shutdown__Dealy"] = "00:00:01";

        Assert.Equal(["", "Shutdown:Dealy"], _configuration.Load().Findings.Select(finding => finding.Key));
    }

    [Fact]
    public void Snapshot_AsText_HoldsNoSecret()
    {
        _configuration.Set("ConnectionStrings:Redis", "\"localhost,password=hush\"").Set("AzureAd:ClientSecret", "\"hush\"");

        Assert.DoesNotContain("hush", _configuration.Load().Snapshot!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_FileTooLarge_CannotRead()
    {
        _configuration.Write("appsettings.Staging.json", new string(' ', FileContent.MaxLength + 1));

        var result = _configuration.Load("Staging");

        Assert.True(result.CannotRead);
        Assert.Contains("larger than 32 MB", Assert.Single(result.Findings).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\n  \"Urls\": secret\n}", "line 2")]
    [InlineData("{ \"Urls\": \"x\" } {}", "line 1")]
    [InlineData("[]", "no JSON object")]
    [InlineData("", "is empty")]
    [InlineData("{ \"Urls\": \"\\ud800\" }", "UTF-8")]
    public void Load_NotJson_SaysWhere(string content, string expected)
    {
        _configuration.Write("appsettings.json", content);

        var result = _configuration.Load();

        Assert.True(result.CannotRead);
        var finding = Assert.Single(result.Findings);
        Assert.Contains(expected, finding.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", finding.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_CommentsTrailingCommasAndByteOrderMark_AreAllowed()
    {
        File.WriteAllText(
            Path.Combine(_configuration.Folder, "appsettings.Staging.json"),
            "{ /* one */ \"Shutdown\": { \"Delay\": \"00:00:01\", }, // two\n }",
            new System.Text.UTF8Encoding(encoderShouldEmitUTF8Identifier: true));

        Assert.Equal(TimeSpan.FromSeconds(1), _configuration.LoadGood("Staging").Options.Shutdown.Delay);
    }

    [Fact]
    public void Load_KeyTwiceInAFile_IsAnErrorWithItsPath()
    {
        _configuration.Write("appsettings.Staging.json", "{\n\"Shutdown\": { \"Delay\": \"00:00:01\",\n \"delay\": \"00:00:02\" } }");

        var finding = _configuration.LoadBad("Staging");

        Assert.Equal("Shutdown:delay", finding.Key);
        Assert.Contains("line 3", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_NameWithSeparator_IsAnError()
    {
        _configuration.Set("ReverseProxy:Clusters:organizations:Metadata", """{ "a:b": "c" }""");

        Assert.Equal("ReverseProxy:Clusters:organizations:Metadata:a:b", _configuration.LoadBad().Key);
    }

    [Theory]
    [InlineData("\"policies/missing.json\"", "is not there")]
    [InlineData("\"../outside.json\"", "outside the configuration folder")]
    [InlineData("\"/etc/hostname\"", "outside the configuration folder")]
    [InlineData("\"policies\"", "is a folder")]
    public void Load_TemplateThatCannotBeRead_IsAnErrorAtItsKey(string path, string expected)
    {
        _configuration.Set("IotCredentials:Organizations:o-dedicated:SessionPolicy", path);

        var finding = _configuration.LoadBad();

        Assert.Equal("IotCredentials:Organizations:o-dedicated:SessionPolicy", finding.Key);
        Assert.Contains(expected, finding.Message, StringComparison.Ordinal);
    }
}
