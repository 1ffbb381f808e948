using System.Net.Sockets;
using Testing;
using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>Something else than a file in the place of a file that the configuration consists of or names.</summary>
public sealed class SpecialFileTests
{
    private const string Introspection =
        """{ "Address": "https://id.example.com/i", "ClientId": "g", "ClientSecretPath": "secret", "Organizations": { "Claim": "o" } }""";

    private const string Certificate = """{ "Url": "https://*:8443", "Certificate": { "Path": "a.crt", "KeyPath": "a.key" } }""";

    private static readonly string[] s_kinds = ["pipe", "link to a pipe", "socket", "device", "folder"];

    // The file, and the key that names it with its value.
    private static readonly (string File, string Key, string? Json)[] s_files =
    [
        ("appsettings.json", "", null),
        ("appsettings.Production.json", "", null),
        ("policies/organization.json", "IotCredentials:Profiles:default:SessionPolicy", null),
        ("sealing-keys", "Sealing:KeyPath", "\"sealing-keys\""),
        ("redis", "ConnectionStrings:RedisPath", "\"redis\""),
        ("secret", "Authentication:Introspection:ClientSecretPath", null),
        ("token", "IotCredentials:Directory:TokenPath", "\"token\""),
        ("a.crt", "Kestrel:Endpoints:Https:Certificate:Path", null),
        ("a.key", "Kestrel:Endpoints:Https:Certificate:KeyPath", null),
    ];

    public static TheoryData<string, int> Rows => [.. from kind in s_kinds from index in Enumerable.Range(0, s_files.Length) select (kind, index)];

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task What_is_no_file_is_an_error_that_names_it_and_no_endless_wait(string kind, int index)
    {
        var (file, key, json) = s_files[index];
        using var configuration = new ConfigurationFixture();
        configuration.WriteCertificate();
        if (file == "redis") configuration.Set("ConnectionStrings:Redis", null);
        if (file == "secret") configuration.Set("Authentication:Introspection", Introspection);
        if (file is "a.crt" or "a.key") configuration.Set("Urls", null).Set("Kestrel:Endpoints:Https", Certificate);
        if (json is not null) configuration.Set(key, json);
        using var socket = Replace(Path.Combine(configuration.Folder, file), kind);

        var read = await Task.Run(() => configuration.Load()).WaitAsync(Eventually.Limit, TestContext.Current.CancellationToken);

        Assert.Null(read.Snapshot);
        var finding = Assert.Single(read.Findings, finding => finding.Key == key);
        Assert.Contains(key.Length == 0 ? file : Path.GetFileName(file), finding.ToString(), StringComparison.Ordinal);
        // The plugin's own rule of the token tells only the kind of exception of a folder.
        if (kind != "folder") Assert.Contains("is a named pipe, a socket or a device, not a file", finding.Message, StringComparison.Ordinal);
        else if (file != "token") Assert.Contains("is a folder, not a file", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_symbolic_link_to_a_file_is_a_file()
    {
        using var configuration = new ConfigurationFixture();
        foreach (var name in (string[])["appsettings.json", "sealing-keys", "policies/organization.json"])
        {
            var path = Path.Combine(configuration.Folder, name);
            File.Move(path, path + ".data");
            File.CreateSymbolicLink(path, Path.GetFileName(path) + ".data");
        }

        configuration.LoadGood();
    }

    [Theory]
    [InlineData(2, "check")]
    [InlineData(1)]
    public async Task Neither_check_nor_a_start_waits_for_a_pipe(int exitCode, params string[] command)
    {
        using var configuration = new ConfigurationFixture();
        using var none = Replace(Path.Combine(configuration.Folder, "appsettings.json"), "pipe");

        var (code, output) = await GatewayProcess.RunAsync([.. command, "--config", configuration.Folder])
            .WaitAsync(Eventually.Limit, TestContext.Current.CancellationToken);

        Assert.Equal(exitCode, code);
        Assert.Contains("error (appsettings.json): is a named pipe", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pipe_in_the_place_of_a_file_is_a_refused_reload()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(static settings => settings.WithoutRedis());
        using var none = Replace(Path.Combine(gateway.Folder.Path, "appsettings.json"), "pipe");

        // A file that cannot be read counts at the second poll.
        for (var i = 0; i < 2; i++) await gateway.CheckForChangesAsync().WaitAsync(Eventually.Limit, TestContext.Current.CancellationToken);

        Assert.True(gateway.IsConfigurationRefused);
        Assert.Contains("named pipe", gateway.Log.Text, StringComparison.Ordinal);
    }

    private static Socket? Replace(string path, string kind)
    {
        File.Delete(path);
        return SpecialFiles.Make(path, kind);
    }
}
