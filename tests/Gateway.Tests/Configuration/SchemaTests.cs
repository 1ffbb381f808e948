using System.Text.Json;
using Gateway.Configuration.Schema;
using Json.Schema;
using Testing;
using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>The schema that editors use: generated with <c>UPDATE_SCHEMA=1</c> from what is read, and so never behind it.</summary>
public sealed class SchemaTests
{
    private static readonly string s_folder = Path.Combine(Repository.Root, "appsettings");
    private static readonly JsonDocumentOptions s_withComments = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    // Once: the library keeps every schema that it has read.
    private static readonly Lazy<JsonSchema> s_schema = new(static () => JsonSchema.FromText(ConfigurationSchema.Write()));

    [Fact]
    public void The_shipped_schema_is_what_is_read()
    {
        var schema = ConfigurationSchema.Write();
        var path = Path.Combine(s_folder, "appsettings.schema.json");
        if (Environment.GetEnvironmentVariable("UPDATE_SCHEMA") == "1") File.WriteAllText(path, schema);

        Assert.True(File.ReadAllText(path) == schema, "appsettings.schema.json is not what is read: run this test with UPDATE_SCHEMA=1, and commit the file.");
    }

    [Fact]
    public void The_table_of_all_keys_is_what_is_read()
    {
        var table = KeyReference.Write(ConfigurationSchema.Write());
        var path = Path.Combine(Repository.Root, "docs", "configuration-keys.md");
        if (Environment.GetEnvironmentVariable("UPDATE_SCHEMA") == "1") File.WriteAllText(path, table);

        Assert.True(File.ReadAllText(path) == table, "configuration-keys.md is not what is read: run this test with UPDATE_SCHEMA=1, and commit the file.");
    }

    // Kestrel's section takes any name, so the table could have a key that is a typo.
    [Fact]
    public void The_table_has_no_key_of_Kestrel_that_the_gateway_does_not_know()
    {
        var keys = KeyReference.Write(ConfigurationSchema.Write()).Split('\n')
            .Where(static line => line.StartsWith("| `Kestrel:", StringComparison.Ordinal)).Select(static line => line.Split('`')[1]).ToArray();

        Assert.NotEmpty(keys);
        Assert.All(keys, static key => Assert.NotNull(key.Split(':').Aggregate((SchemaNode?)RootSchema.Value, static (schema, name) => schema switch
        {
            ObjectSchema section => section.Members.GetValueOrDefault(name)?.Schema,
            OpenSchema section => section.Members.GetValueOrDefault(name)?.Schema,
            MapSchema names => names.Value,
            _ => null,
        })));
    }

    [Fact]
    public void The_shipped_configuration_names_the_schema_and_keeps_to_it()
    {
        var shipped = File.ReadAllText(Path.Combine(s_folder, "appsettings.json"));

        Assert.Contains("\"$schema\": \"./appsettings.schema.json\"", shipped, StringComparison.Ordinal);
        Assert.Empty(Broken(shipped));
    }

    [Fact]
    public void The_documented_configuration_keeps_to_the_schema() => Assert.Empty(Broken(Example.Json));

    [Theory]
    [MemberData(nameof(DocumentationTests.ConfigurationExamples), MemberType = typeof(DocumentationTests))]
    public void A_configuration_example_keeps_to_the_schema(string place, string example) =>
        Assert.True(Broken(example) is [], $"{place}: {string.Join(", ", Broken(example))}");

    [Theory]
    [InlineData("""{ "Managment": {} }""", "/Managment")]
    [InlineData("""{ "Shutdown": { "Timeout": "30" } }""", "/Shutdown/Timeout")]
    [InlineData("""{ "Edge": { "Methods": "GET" } }""", "/Edge/Methods")]
    [InlineData("""{ "RateLimiting": { "Policies": { "P": { "Algorithm": "Leaky" } } } }""", "/RateLimiting/Policies/P/Algorithm")]
    [InlineData("""{ "IotCredentials": { "Organizations": { "o-1": { "RoleARM": "" } } } }""", "/IotCredentials/Organizations/o-1/RoleARM")]
    [InlineData("""{ "ReverseProxy": { "Routes": { "a": { "AuthorisationPolicy": "" } } } }""", "/ReverseProxy/Routes/a/AuthorisationPolicy")]
    [InlineData("""{ "ReverseProxy": { "Routes": { "a": { "Metadata": { "Modul": "" } } } } }""", "/ReverseProxy/Routes/a/Metadata/Modul")]
    [InlineData("""{ "ReverseProxy": { "Routes": { "a": { "Transforms": [{ "PathSett": "/" }] } } } }""", "/ReverseProxy/Routes/a/Transforms/0/PathSett")]
    [InlineData("""{ "ReverseProxy": { "Clusters": { "a": { "HealthCheck": { "Activ": {} } } } } }""", "/ReverseProxy/Clusters/a/HealthCheck/Activ")]
    [InlineData("""{ "Logging": { "LogLevel": { "Default": "Verbose" } } }""", "/Logging/LogLevel/Default")]
    public void What_is_wrong_is_seen_at_its_place(string json, string place) => Assert.Contains(place, Broken(json));

    [Theory]
    [InlineData("""{ "Kestrel": { "Endpoints": { "Https": { "Url": "https://*" } } }, "Logging": { "Console": { "FormatterName": "json" } } }""")]
    [InlineData("""{ "Urls": null, "ReverseProxy": { "Routes": { "a": { "Timeout": "00:00:10", "ClusterId": null } } } }""")]
    [InlineData("""{ "ReverseProxy": { "Routes": { "a": { "Transforms": [{ "RequestHeadersCopy": "true" }], "Metadata": { "ForwardCookies": true } } } } }""")]
    public void A_part_is_enough(string json) => Assert.Empty(Broken(json));

    private static string[] Broken(string json)
    {
        using var document = JsonDocument.Parse(json, s_withComments);
        var results = s_schema.Value.Evaluate(
            document.RootElement, new EvaluationOptions { OutputFormat = OutputFormat.List });
        return results.IsValid
            ? []
            : [.. results.Details!.Where(detail => detail.Errors is not null).Select(detail => detail.InstanceLocation.ToString()).Distinct()];
    }
}
