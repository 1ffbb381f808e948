using Gateway.Configuration.Snapshots;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.FileProviders;
using Xunit;

namespace Gateway.Tests.Configuration;

public sealed class SnapshotConfigurationTests : IDisposable
{
    private const string Template = "policies/organization.json";
    private readonly ConfigurationFixture _configuration = new();

    public void Dispose() => _configuration.Dispose();

    [Fact]
    public void UseSnapshot_LeavesNoOtherSource()
    {
        using var manager = new ConfigurationManager();
        manager.AddInMemoryCollection([new("Foreign", "x")]);

        var snapshots = manager.UseSnapshot(_configuration.LoadGood());

        Assert.Same(snapshots, Assert.Single(((IConfigurationBuilder)manager).Sources));
        Assert.Null(manager["Foreign"]);
        Assert.Equal("http://localhost:9090", manager["management:url"]);
        Assert.Equal(["organizations"], manager.GetSection("ReverseProxy:Clusters").GetChildren().Select(child => child.Key));
    }

    [Fact]
    public void Publish_ReplacesValuesAndFiles_AndTellsOfIt()
    {
        using var manager = new ConfigurationManager();
        var snapshots = manager.UseSnapshot(_configuration.LoadGood());
        var told = 0;
        string? seen = null;
        using var registration = ((IConfiguration)manager).GetReloadToken().RegisterChangeCallback(
            _ =>
            {
                told++;
                seen = manager["Shutdown:Delay"] + Read(snapshots.Files.GetFileInfo(Template));
            },
            null);
        var watch = snapshots.Files.Watch(Template);

        _configuration.Set("Shutdown:Delay", "\"00:00:09\"").Set("Cors:Policies:Web", null).Write(Template, ConfigurationFixture.Policy + "\n");
        var snapshot = _configuration.LoadGood();
        Assert.Equal("00:00:00", manager["Shutdown:Delay"]);
        snapshots.Publish(snapshot);

        Assert.Equal(1, told);
        Assert.Equal("00:00:09" + ConfigurationFixture.Policy + "\n", seen);
        Assert.Empty(manager.GetSection("Cors:Policies").GetChildren());
        Assert.True(watch.HasChanged);
        Assert.Same(snapshot, snapshots.Current);
    }

    [Theory]
    [InlineData(Template)]
    [InlineData("/policies/../policies/./organization.json")]
    public void Files_ThatTheConfigurationNames_ComeFromTheSnapshot(string path)
    {
        var snapshots = new SnapshotConfigurationProvider(_configuration.LoadGood());
        _configuration.Write(Template, "changed");

        var file = snapshots.Files.GetFileInfo(path);

        Assert.True(file.Exists);
        Assert.Equal(ConfigurationFixture.Policy, Read(file));
        Assert.Null(file.PhysicalPath);
    }

    [Fact]
    public void Files_ThatTheConfigurationDoesNotName_ComeFromTheFolder()
    {
        var snapshots = new SnapshotConfigurationProvider(_configuration.LoadGood());
        _configuration.Write("certificate.pem", "later");

        Assert.Equal("later", Read(snapshots.Files.GetFileInfo("certificate.pem")));
        Assert.False(snapshots.Files.GetFileInfo("nothing").Exists);
        Assert.Contains(snapshots.Files.GetDirectoryContents(""), file => file.Name == "certificate.pem");
    }

    [Fact]
    public void Values_SetByTheHostsOwnCode_OutliveAReload()
    {
        using var manager = new ConfigurationManager();
        var snapshots = manager.UseSnapshot(_configuration.LoadGood());

        manager["Kestrel:Limits:Some"] = "x";
        snapshots.Publish(_configuration.LoadGood());

        Assert.Equal("x", manager["Kestrel:Limits:Some"]);
        Assert.Equal(["Limits"], manager.GetSection("kestrel").GetChildren().Select(child => child.Key));
    }

    [Fact]
    public void Values_BoundByAspNetCore_AreWhatTheOptionsSay()
    {
        var snapshot = _configuration.LoadGood();
        using var manager = new ConfigurationManager();
        manager.UseSnapshot(snapshot);

        var plain = new ConfigurationBuilder().AddInMemoryCollection(snapshot.Values).Build();
        Assert.Equal(plain.AsEnumerable().OrderBy(pair => pair.Key), manager.AsEnumerable().OrderBy(pair => pair.Key));
        var bound = manager.GetSection("IotCredentials").Get<IotCredentialsOptions>()!;

        var (expected, actual) = (snapshot.Options.IotCredentials, bound);
        Assert.Equal(expected.OrganizationId, actual.OrganizationId);
        Assert.Equal(expected.Cache, actual.Cache);
        Assert.Equivalent(expected.Profiles, actual.Profiles, strict: true);
        Assert.Equivalent(expected.Organizations, actual.Organizations, strict: true);
    }

    private static string Read(IFileInfo file)
    {
        using var reader = new StreamReader(file.CreateReadStream());
        return reader.ReadToEnd();
    }
}
