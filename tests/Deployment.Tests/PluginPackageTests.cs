using System.IO.Compression;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;
using System.Xml.Linq;
using Sandbox;
using Testing;
using Xunit;

namespace Deployment.Tests;

/// <summary>The plugin's package as a stranger uses it: restored, built and run by <c>dotnet</c>, in folders outside of this repository.</summary>
public sealed class PluginPackageTests(PluginPackage package) : IClassFixture<PluginPackage>
{
    private static readonly Dictionary<string, Slip> s_slips = new()
    {
        ["MapIotCredentials is forgotten"] = new("write app.MapReverseProxy().MapIotCredentials()", InProgram(".MapIotCredentials()", "")),
        ["AddIotCredentials is forgotten"] = new(
            "write builder.Services.AddReverseProxy().AddIotCredentials(builder.Configuration.GetSection(\"IotCredentials\"))",
            InProgram("\n    .AddIotCredentials(builder.Configuration.GetSection(\"IotCredentials\"))", "")),
        ["No handler is registered"] = new(
            "register an AuthorizationHandler<OrganizationAccessRequirement, OrganizationId>",
            InProgram("builder.Services.AddSingleton<IAuthorizationHandler, Membership>();\n", "")),
        ["The path names the organization otherwise"] = new("as {organizationId}, not {orgId}", InSettings("/{organizationId}/", "/{orgId}/")),
        ["A key is misspelt"] = new("RolArn is not known. Did you mean \"RoleArn\"?", InSettings("\"RoleArn\"", "\"RolArn\"")),
        ["The session policy is missing"] = new("SessionPolicy names policies/none.json", InSettings("policies/organization.json", "policies/none.json")),
        ["The ids do not fit the session policy"] = new("IotCredentials:OrganizationId", InSettings("\"A-Za-z0-9\"", "\"A-Za-z0-9_-\"")),
        ["No Profile, and no default one"] = new(
            "names no Metadata:Profile, and IotCredentials:Profiles has no \"default\": write one of its names. Known here: web.",
            InSettings("\"default\": {", "\"web\": {"), InSettings(", \"Profile\": \"default\"", "")),
        ["ClusterId beside Module"] = new(
            "has a Module and a ClusterId: remove ClusterId", InSettings("\"AuthorizationPolicy\"", "\"ClusterId\": \"a\", \"AuthorizationPolicy\"")),
        ["Redis without a sealing key"] = new(
            "Sealing:KeyPath is missing", InSettings("\"IotCredentials\": {", "\"ConnectionStrings\": { \"Redis\": \"127.0.0.1:1\" }, \"IotCredentials\": {")),
    };

    // A slip in the program takes a build. `dotnet test` takes one of them, and two of the settings'.
    public static TheoryData<string> Slips =>
    [
        .. Sample.Of(1, s_slips.Where(slip => slip.Value.NeedsBuild).Select(slip => slip.Key)),
        .. Sample.Of(2, s_slips.Where(slip => !slip.Value.NeedsBuild).Select(slip => slip.Key)),
    ];

    [Fact]
    public async Task The_package_holds_the_assembly_its_documentation_and_nothing_of_the_tests_and_is_the_same_each_time()
    {
        using var first = Open("feed", "nupkg");
        Assert.Equal(
            ["IotCredentials.nuspec", "README.md", "lib/net10.0/IotCredentials.dll", "lib/net10.0/IotCredentials.xml"],
            first.Entries.Select(entry => entry.FullName).Where(name => !IsOfTheFormat(name)).Order(StringComparer.Ordinal));

        using var nuspec = first.GetEntry("IotCredentials.nuspec")!.Open();
        var metadata = XDocument.Load(nuspec).Root!.Elements().Single();
        var dependencies = metadata.Descendants().Where(element => element.Name.LocalName == "dependency").ToList();
        Assert.Equal(
            ["AWSSDK.SecurityToken", "Microsoft.Extensions.Caching.StackExchangeRedis", "Polly.Core", "StackExchange.Redis", "Yarp.ReverseProxy"],
            dependencies.Select(dependency => dependency.Attribute("id")!.Value).Order(StringComparer.Ordinal));
        // A least version: the host decides which newer one it uses.
        Assert.All(dependencies, dependency => Assert.Matches(@"^[0-9.]+$", dependency.Attribute("version")!.Value));
        Assert.Equal("README.md", metadata.Elements().Single(element => element.Name.LocalName == "readme").Value);

        var assembly = Read(first, "lib/net10.0/IotCredentials.dll");
        // Any assembly may take the name of a friend.
        Assert.Contains("AssemblyInformationalVersionAttribute", AttributesOf(assembly));
        Assert.DoesNotContain("InternalsVisibleToAttribute", AttributesOf(assembly));
        Assert.DoesNotContain(Repository.Root, Encoding.Latin1.GetString(assembly), StringComparison.Ordinal);

        await package.PackAsync("again");
        using var second = Open("again", "nupkg");
        using var symbols = Open("feed", "snupkg");
        using var symbolsAgain = Open("again", "snupkg");
        Assert.True(assembly.AsSpan().SequenceEqual(Read(second, "lib/net10.0/IotCredentials.dll")), "the assemblies differ");
        Assert.Equal(Read(symbols, "lib/net10.0/IotCredentials.pdb"), Read(symbolsAgain, "lib/net10.0/IotCredentials.pdb"));
    }

    [Fact]
    public void The_sample_and_the_documents_name_the_version_and_the_program_of_the_sample()
    {
        var documents = ((string[])["README.md", "docs/plugin.md"]).Select(name => File.ReadAllText(Path.Combine(Repository.Root, name))).ToList();
        var program = File.ReadAllText(Path.Combine(Repository.Root, "samples", "PluginHost", "Program.cs"));

        Assert.All(documents, document => Assert.Contains($"```csharp\n{program}```", document, StringComparison.Ordinal));
        Assert.True(program.Count(character => character == '\n') < 30, "the program has thirty lines or more");
        foreach (var (file, _, content) in PluginPackage.Blocks.Where(block => block.File is not null))
        {
            var folder = file == "CredentialRouteTests.cs" ? "PluginHost.Tests" : "PluginHost";
            Assert.Equal(File.ReadAllText(Path.Combine(Repository.Root, "samples", folder, file!)), content);
        }

        // The tests build the sample from packages that the solution has restored.
        foreach (var project in (string[])[Path.Combine(package.Host, "PluginHost.csproj"), Path.Combine(package.Tests, "PluginHost.Tests.csproj")])
            foreach (var reference in XDocument.Load(project).Descendants("PackageReference"))
            {
                var name = reference.Attribute("Include")!.Value;
                var version = PluginPackage.CentralVersions.GetValueOrDefault(name, PluginPackage.Version);
                Assert.Equal((name, version), (name, reference.Attribute("Version")!.Value));
            }
    }

    [Fact]
    public async Task G5_G6_the_sample_vends_to_members_beside_its_own_API_and_names_the_caller_though_JwtBearer_renames_claims()
    {
        var output = await package.WithHostAsync(package.Host, AssertVendsAsync);

        Assert.Contains($"issuer {package.Issuer.Issuer} subject alice organization o-acme", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_samples_own_tests_pass() =>
        await package.SucceedAsync($"dotnet '{Path.Combine(package.Tests, "bin", "Debug", "net10.0", "PluginHost.Tests.dll")}'");

    [Fact]
    public async Task A_newcomer_builds_the_host_from_the_documents_commands_and_files()
    {
        var folder = package.Create("newcomer");
        var commands = PluginPackage.Blocks.Single(block => block.Language == "bash").Content;
        await package.SucceedAsync(PluginPackage.WithVersion(commands), folder);

        var host = Path.Combine(folder, "PluginHost");
        Directory.CreateDirectory(Path.Combine(host, "policies"));
        foreach (var (file, _, content) in PluginPackage.Blocks.Where(block => block.File is not null and not "CredentialRouteTests.cs"))
            await File.WriteAllTextAsync(Path.Combine(host, file!), content, TestContext.Current.CancellationToken);
        await package.SucceedAsync("dotnet build -m:1 -nologo -v q", host);

        await package.WithHostAsync(host, AssertVendsAsync);
    }

    [Theory]
    [MemberData(nameof(Slips))]
    public async Task G7_a_slip_ends_dotnet_run_with_the_remedy_and_no_stack(string name)
    {
        var slip = s_slips[name];
        var host = package.Copy(package.Host, $"slip/{Guid.NewGuid():N}/PluginHost");
        foreach (var (file, written, replacement) in slip.Changes)
        {
            var path = Path.Combine(host, file);
            var text = await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);
            Assert.Contains(written, text, StringComparison.Ordinal);
            await File.WriteAllTextAsync(path, text.Replace(written, replacement, StringComparison.Ordinal), TestContext.Current.CancellationToken);
        }

        var (exitCode, output) = await package.RunAsync($"dotnet run {(slip.NeedsBuild ? "" : "--no-build ")}-- --urls http://127.0.0.1:0", host);

        var lines = output.Split('\n');
        Assert.True(exitCode != 0, $"{name}:\n{output}");
        Assert.True(lines.Any(line => line.Contains(slip.Remedy, StringComparison.Ordinal)), $"{name}:\n{output}");
        Assert.True(!lines.Any(line => line.StartsWith("   at ", StringComparison.Ordinal)), $"{name}:\n{output}");
        Assert.DoesNotContain("Now listening", output, StringComparison.Ordinal);
    }

    private async Task AssertVendsAsync(string url)
    {
        using var client = new HttpClient();
        var token = package.Issuer.Issue(new TokenRequest { Organizations = (string[])["o-acme"] });

        var vended = await client.SendAsync(url + Requests.CredentialsPath("o-acme"), token);
        var other = await client.SendAsync(url + Requests.CredentialsPath("o-other"), token);
        var without = await client.SendAsync(url + Requests.CredentialsPath("o-acme"));
        var own = await client.SendAsync(url + "/hello");

        Assert.True(vended.Status == 200, vended.Body);
        Assert.StartsWith("ASIA", vended.AccessKeyId, StringComparison.Ordinal);
        Assert.Equal((403, 401, 200, "The host's own API."), (other.Status, without.Status, own.Status, own.Body));
    }

    private ZipArchive Open(string feed, string kind) =>
        ZipFile.OpenRead(Path.Combine(package.PathOf(feed), $"IotCredentials.{PluginPackage.Version}.{kind}"));

    private static byte[] Read(ZipArchive archive, string name)
    {
        using var entry = archive.GetEntry(name)!.Open();
        using var content = new MemoryStream();
        entry.CopyTo(content);
        return content.ToArray();
    }

    private static bool IsOfTheFormat(string name) => name.StartsWith("_rels/", StringComparison.Ordinal)
        || name.StartsWith("package/", StringComparison.Ordinal) || name == "[Content_Types].xml";

    // The types of the assembly's own attributes.
    private static List<string> AttributesOf(byte[] assembly)
    {
        using var image = new PEReader([.. assembly]);
        var metadata = image.GetMetadataReader();
        return
        [
            .. metadata.GetAssemblyDefinition().GetCustomAttributes()
                .Select(handle => metadata.GetCustomAttribute(handle).Constructor)
                .Where(constructor => constructor.Kind == HandleKind.MemberReference)
                .Select(constructor => metadata.GetMemberReference((MemberReferenceHandle)constructor).Parent)
                .Where(type => type.Kind == HandleKind.TypeReference)
                .Select(type => metadata.GetString(metadata.GetTypeReference((TypeReferenceHandle)type).Name)),
        ];
    }

    private static (string File, string Written, string Replacement) InProgram(string written, string replacement) => ("Program.cs", written, replacement);

    private static (string File, string Written, string Replacement) InSettings(string written, string replacement) =>
        ("appsettings.json", written, replacement);

    private sealed record Slip(string Remedy, params (string File, string Written, string Replacement)[] Changes)
    {
        public bool NeedsBuild => Changes.Any(change => change.File == "Program.cs");
    }
}
