using Gateway.Configuration.Loading;
using Gateway.Configuration.Schema;
using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>A list that is left out restricts nothing. So one whose values were lost must not be taken for one that is left out.</summary>
public sealed class EmptyListTests : IDisposable
{
    // Without items, each grants nothing: no proxy is trusted, a caller has no role, a service has no address, a request is passed on as it is.
    private static readonly string[] s_harmless =
    [
        "Authentication:Schemes:NAME:ValidIssuers",
        "Authentication:ApiKeys:Keys:NAME:Organizations",
        "Authentication:ApiKeys:Keys:NAME:Roles",
        "Authentication:ApiKeys:Keys:NAME:Scopes",
        "Cors:Policies:NAME:Methods",
        "Cors:Policies:NAME:Headers",
        "Cors:Policies:NAME:ExposedHeaders",
        "Edge:TrustedProxies",
        "Services:NAME:Http",
        "Services:NAME:Https",
        "IotCredentials:Profiles:NAME:SharedTopics",
        "IotCredentials:Organizations:NAME:SharedTopics",
        "ReverseProxy:Routes:NAME:Transforms",
    ];

    // Each has a form that spells out "any". In the others it is an error.
    private static readonly Dictionary<string, string> s_any = new()
    {
        ["Authentication:Schemes:NAME:Organizations:Only"] = "null",
        ["Authentication:Introspection:Organizations:Only"] = "null",
        ["AzureAd:Organizations:Only"] = "null",
        ["AzureAd:Tenants:NAME:Only"] = "null",
        ["Authentication:ApiKeys:Keys:NAME:IpAllow"] = "[]",
        ["IotCredentials:Directory:AllowedRegions"] = "[]",
    };

    private readonly ConfigurationFixture _configuration = new();

    public static TheoryData<string> Lists => [.. ListsOf(RootSchema.Value, "")];

    public void Dispose() => _configuration.Dispose();

    [Theory]
    [MemberData(nameof(Lists))]
    public void A_list_that_restricts_is_not_empty(string list)
    {
        var key = list.Replace("NAME", "name", StringComparison.Ordinal);
        var isNone = s_harmless.Contains(list) || s_any.GetValueOrDefault(list) == "null";
        _configuration.Write("appsettings.Staging.json", Nested(key, "[]"));
        var emptyFile = ErrorAt(key);
        _configuration.Write("appsettings.Staging.json", Nested(key, "null"));
        var nullFile = ErrorAt(key);
        _configuration.Write("appsettings.Staging.json", "{}");
        _configuration.Arguments.Add($"--{key}=");
        var commandLine = ErrorAt(key);
        _configuration.Arguments.Clear();
        _configuration.Variables[key.Replace(":", "__", StringComparison.Ordinal)] = "";
        var variable = ErrorAt(key);

        const string Advice = ". Name at least one value, or leave the key out.";
        Assert.Equal(isNone || s_any.GetValueOrDefault(list) == "[]" ? null : "is empty" + Advice, emptyFile);
        Assert.Equal(isNone ? null : "is null" + Advice, nullFile);
        Assert.Equal(isNone ? null : "is empty" + Advice, commandLine);
        Assert.Equal(isNone ? null : "is empty" + Advice, variable);
    }

    [Fact]
    public void The_lists_that_may_be_empty_exist() =>
        Assert.Empty(s_harmless.Concat(s_any.Keys).Except(ListsOf(RootSchema.Value, "")));

    [Theory]
    [InlineData("AzureAd:Organizations", """{ "Claim": "organizations", "Only": ["o-a"] }""", "Only", "null")]
    [InlineData("AzureAd:Tenants:name", """{ "Only": ["o-a"] }""", "Only", "null")]
    [InlineData("AzureAd:Tenants:name", """{ "Only": [] }""", "Only", "null")]
    [InlineData("Authentication:ApiKeys:Keys:name", """{ "IpAllow": ["10.0.0.1"] }""", "IpAllow", "[]")]
    [InlineData("IotCredentials:Directory", """{ "AllowedRegions": ["eu-west-1"] }""", "AllowedRegions", "[]")]
    public void Any_does_not_replace_the_list_of_an_earlier_layer(string section, string json, string name, string any)
    {
        _configuration.Set(section, json);
        _configuration.Write("appsettings.Staging.json", Nested($"{section}:{name}", any));

        Assert.Equal("would lift what appsettings.json:1 restricts. Name at least one value, or change the list there.", ErrorAt($"{section}:{name}"));
    }

    [Theory]
    [InlineData("\"\"")]
    [InlineData("\";\"")]
    [InlineData("null")]
    public void The_allowed_hosts_are_not_empty(string json)
    {
        _configuration.Set("AllowedHosts", json);

        Assert.Equal("AllowedHosts", _configuration.LoadBad().Key);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    public void A_reload_refuses_it_too(string json)
    {
        var policy = "Authorization:Policies:IotOperator:Roles";
        var result = _configuration.Load();
        Assert.NotNull(result.Snapshot);
        _configuration.Set(policy, json);

        var reload = ConfigurationFolder.Reload(result.Input!);

        Assert.Null(reload.Snapshot);
        Assert.Equal(policy, Assert.Single(reload.Findings).Key);
    }

    private string? ErrorAt(string key) =>
        _configuration.Load("Staging").Findings
            .SingleOrDefault(finding => finding.Severity == Severity.Error && finding.Key.Equals(key, StringComparison.OrdinalIgnoreCase)
                && (finding.Message.StartsWith("is empty", StringComparison.Ordinal) || finding.Message.StartsWith("is null", StringComparison.Ordinal)
                    || finding.Message.StartsWith("would lift", StringComparison.Ordinal)))?.Message;

    private static IEnumerable<string> ListsOf(SchemaNode schema, string path)
    {
        return schema switch
        {
            ObjectSchema section => section.Members.Values.Where(member => member.NoEffect is null).SelectMany(member => Below(member.Name, member.Schema)),
            OpenSchema section => section.Members.Values.SelectMany(member => Below(member.Name, member.Schema)),
            MapSchema map => Below("NAME", map.Value),
            ListSchema list => [path, .. Below("0", list.Item)],
            _ => [],
        };

        IEnumerable<string> Below(string name, SchemaNode below) => ListsOf(below, path.Length == 0 ? name : $"{path}:{name}");
    }

    private static string Nested(string key, string json) =>
        key.Split(':').Reverse().Aggregate(json, (value, name) => name == "0" ? $"[{value}]" : $$"""{ "{{name}}": {{value}} }""");
}
