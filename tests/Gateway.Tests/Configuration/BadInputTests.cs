using System.Text;
using System.Text.Json.Nodes;
using Gateway.Configuration;
using Gateway.Configuration.Loading;
using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>Files that are none: said in words, and told apart from files that say something wrong.</summary>
public sealed class BadInputTests : IDisposable
{
    private readonly ConfigurationFixture _configuration = new();

    public void Dispose() => _configuration.Dispose();

    [Fact]
    public void A_file_in_place_of_the_folder_cannot_be_read()
    {
        var file = Path.Combine(_configuration.Folder, "appsettings.json");

        CannotRead(ConfigurationFolder.Load(["--config", file], "Production", _configuration.Variables), "there is no folder");
    }

    [Theory]
    [InlineData("appsettings.json")]
    [InlineData("appsettings.Staging.json")]
    public void A_folder_in_place_of_a_file_cannot_be_read(string name)
    {
        Directory.CreateDirectory(Removed(name));

        CannotRead(_configuration.Load("Staging"), "is a folder", name);
    }

    [Theory]
    [InlineData("appsettings.json", "missing", "is not there")]
    [InlineData("appsettings.json", "appsettings.json", "cannot be read")]
    [InlineData("appsettings.Staging.json", "missing", "is not there")]
    public void A_link_that_leads_nowhere_cannot_be_read(string name, string target, string expected)
    {
        File.CreateSymbolicLink(Removed(name), target);

        CannotRead(_configuration.Load("Staging"), expected, name);
    }

    [Fact]
    public void A_file_of_another_user_cannot_be_read()
    {
        // Not even the superuser may read this one, as tests in a container do.
        File.CreateSymbolicLink(Removed("appsettings.json"), "/proc/sys/vm/compact_memory");

        CannotRead(_configuration.Load(), "may not be read by this process's user", "appsettings.json");
    }

    [Fact]
    public void A_file_that_is_too_large_cannot_be_read()
    {
        using (var file = File.OpenWrite(Removed("appsettings.json"))) file.SetLength((32 * 1024 * 1024) + 1);

        CannotRead(_configuration.Load(), "larger than 32 MB", "appsettings.json");
    }

    [Theory]
    [InlineData("Urls: http://localhost", "is not JSON: see line 1")]
    [InlineData("{\n  \"Urls\": \"http://localhost\"\n  \"Edge\": {}\n}", "is not JSON: see line 3")]
    [InlineData("{", "is not JSON: see line 1")]
    [InlineData("# a comment\n{}", "A comment begins with //")]
    [InlineData("{\n  # a comment\n  \"Urls\": \"http://localhost\" }", "A comment begins with //")]
    [InlineData("{\n  'Urls': 'http://localhost' }", "Write double quotes")]
    [InlineData("{ \"Urls\": 'http://localhost' }", "Write double quotes")]
    [InlineData("", "is empty. Write { }")]
    [InlineData(" \r\n", "is empty. Write { }")]
    [InlineData("\uFEFF", "is empty. Write { }")]
    [InlineData("[]", "holds no JSON object")]
    [InlineData("null", "holds no JSON object")]
    [InlineData("\"{}\"", "holds no JSON object")]
    public void A_file_that_is_no_object_of_JSON_cannot_be_read(string content, string expected)
    {
        _configuration.Write("appsettings.json", content);

        CannotRead(_configuration.Load(), expected, "appsettings.json");
    }

    [Theory]
    [InlineData("utf-16", true)]
    [InlineData("utf-16BE", true)]
    [InlineData("utf-32", true)]
    [InlineData("utf-32BE", true)]
    [InlineData("utf-16", false)]
    [InlineData("utf-16BE", false)]
    public void A_file_in_another_encoding_cannot_be_read(string encoding, bool hasMark)
    {
        var writer = Encoding.GetEncoding(encoding);
        File.WriteAllBytes(
            Path.Combine(_configuration.Folder, "appsettings.json"),
            [.. hasMark ? writer.GetPreamble() : [], .. writer.GetBytes("{ \"Urls\": \"http://localhost\" }")]);

        CannotRead(_configuration.Load(), "Save it as UTF-8", "appsettings.json");
    }

    [Theory]
    [InlineData("ReverseProxy:Clusters:organizations:Metadata", "such as a dot")]
    [InlineData("ReverseProxy:Clusters:organizations:Destinations:a:Metadata", "such as a dot")]
    [InlineData("ReverseProxy:Routes:organizations:Metadata", "remove it")]
    [InlineData("Edge", "Nest the sections")]
    public void A_name_with_a_colon_says_what_to_write(string section, string expected)
    {
        _configuration.Set(section, """{ "Swagger:Path": "x" }""");

        var finding = Assert.Single(_configuration.Load().Findings, finding => finding.Key == $"{section}:Swagger:Path");
        Assert.Contains(expected, finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Sections_without_end_cannot_be_read()
    {
        _configuration.Write("appsettings.json", string.Concat(Enumerable.Repeat("{\"a\":", 100_000)));

        CannotRead(_configuration.Load(), "is not JSON", "appsettings.json");
    }

    [Fact]
    public void A_template_that_is_no_file_is_an_error_at_its_key()
    {
        _configuration.Write("policies/large.json", new string(' ', FileContent.MaxLength + 1));
        _configuration.Set(
            "IotCredentials:Organizations", new JsonObject { ["o-1"] = new JsonObject { ["SessionPolicy"] = "policies/large.json" } }.ToJsonString());

        var finding = _configuration.LoadBad();

        Assert.Equal("IotCredentials:Organizations:o-1:SessionPolicy", finding.Key);
        Assert.Contains("larger than 32 MB", finding.Message, StringComparison.Ordinal);
    }

    private string Removed(string name)
    {
        var path = Path.Combine(_configuration.Folder, name);
        File.Delete(path);
        return path;
    }

    private static void CannotRead(LoadResult read, string expected, string source = "--config")
    {
        Assert.True(read.CannotRead);
        Assert.Null(read.Snapshot);
        var finding = Assert.Single(read.Findings);
        Assert.Equal(source, finding.Source);
        Assert.Contains(expected, finding.Message, StringComparison.Ordinal);
    }
}
