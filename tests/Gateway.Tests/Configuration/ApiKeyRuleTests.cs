using System.Text;
using Gateway.Authentication;
using Gateway.Configuration.Tree;
using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary><c>check</c> of API keys and of the introspection endpoint. No finding shows what may be a key or a secret.</summary>
public sealed class ApiKeyRuleTests : IDisposable
{
    private const string Keys = "Authentication:ApiKeys:Keys";
    private const string Good = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    private static readonly string s_key = ApiKeyText.Create();

    private readonly ConfigurationFixture _configuration = new();

    public static readonly TheoryData<string, string, string, string> BadKeys = new()
    {
        { "a hash of 63 digits", $$"""{ "Sha256": "{{Good[..63]}}" }""", ":Sha256", "63 characters" },
        { "a hash with another letter", $$"""{ "Sha256": "{{Good[..63]}}g" }""", ":Sha256", "no SHA-256" },
        { "no hash", """{ "Organizations": ["o-1"] }""", ":Sha256", "is required" },
        { "null", """{ "Sha256": null }""", ":Sha256", "is required" },
        { "the key in place of its hash", $$"""{ "Sha256": "{{s_key}}" }""", ":Sha256", "is a key itself" },
        { "a key of another make in place of its hash", """{ "Sha256": "sk_live_4eC39HqLyjWDarjtT1zdp7dc" }""", ":Sha256", "If it is a key" },
        { "an organization that is none", $$"""{ "Sha256": "{{Good}}", "Organizations": ["o 1"] }""", ":Organizations:0", "not an organization id" },
        { "an empty role", $$"""{ "Sha256": "{{Good}}", "Roles": [""] }""", ":Roles:0", "is empty" },
        { "a time without a zone", $$"""{ "Sha256": "{{Good}}", "Expires": "2027-01-01T00:00:00" }""", ":Expires", "with its zone" },
        { "a day", $$"""{ "Sha256": "{{Good}}", "Expires": "2027-01-01" }""", ":Expires", "with its zone" },
        { "an address that is none", $$"""{ "Sha256": "{{Good}}", "IpAllow": ["10.0.0.0/8", "10.0.0.1/8"] }""", ":IpAllow:1", "not an address" },
        { "a misspelt key", $$"""{ "Sha256": "{{Good}}", "Organisations": ["o-1"] }""", ":Organisations", "Organizations" },
        { "the key as a key", $$"""{ "Sha256": "{{Good}}", "Key": "{{s_key}}" }""", ":Key", "not a known key" },
    };

    public static readonly TheoryData<string, string, string> BadIntrospection = new()
    {
        { "Address", "null", "is required" },
        { "Address", "\"id.example.com/introspect\"", "absolute" },
        { "Address", "\"https://user:password@id.example.com/introspect\"", "is " },
        { "ClientId", "null", "is required" },
        { "ClientSecretPath", "null", "is required" },
        { "ClientSecretPath", "\"not-there\"", "is not there" },
        { "ClientSecretPath", "\"empty\"", "one secret" },
        { "ClientSecretPath", "\"two\"", "one secret" },
        { "Accepts", "[]", "is empty" },
        { "CacheFor", "\"00:00:00\"", "over 0" },
        { "CacheFor", "\"02:00:00\"", "up to" },
        { "Timeout", "\"00:01:00\"", "up to" },
        { "Timeout", "\"-00:00:01\"", "over 0" },
        { "ScopeClaim", "\"\"", "is empty" },
        { "Organizations", "{ \"Format\": \"Array\" }", "is required" },
    };

    public void Dispose() => _configuration.Dispose();

    [Theory]
    [MemberData(nameof(BadKeys))]
    public void A_bad_entry_is_an_error_at_its_key_that_does_not_repeat_it(string what, string entry, string key, string part)
    {
        _configuration.Set($"{Keys}:ci-robot", entry);

        var finding = Error();

        Assert.Equal($"{Keys}:ci-robot{key}", finding.Key);
        Assert.Contains(part, finding.Message, StringComparison.Ordinal);
        Assert.Matches("^appsettings.json:[0-9]+$", finding.Source);
        Assert.DoesNotContain(s_key, finding.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("4eC39HqLyjWDarjtT1zdp7dc", finding.ToString(), StringComparison.Ordinal);
        Assert.NotEmpty(what);
    }

    [Fact]
    public void Two_keys_of_one_hash_are_an_error_in_any_case_of_its_letters()
    {
        _configuration.Set($"{Keys}:one", $$"""{ "Sha256": "{{Good}}", "Organizations": ["o-1"] }""")
            .Set($"{Keys}:two", $$"""{ "Sha256": "{{Good.ToUpperInvariant()}}", "Organizations": ["o-1"] }""");

        var finding = _configuration.LoadBad();

        Assert.Equal($"{Keys}:two:Sha256", finding.Key);
        Assert.Contains("\"one\"", finding.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Good, finding.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{ "Sha256": 5, "Unknown": true }""")]
    public void A_key_in_place_of_a_name_is_an_error_that_does_not_repeat_it(string entry)
    {
        _configuration.Set($"{Keys}:{s_key}", entry);

        var findings = _configuration.Load().Findings;

        Assert.Contains(findings, static finding => finding.Key == Keys && finding.Message.Contains("looks like a key", StringComparison.Ordinal));
        Assert.All(findings, static finding => Assert.DoesNotContain(s_key[5..], finding.ToString(), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Authorization")]
    [InlineData("cookie")]
    [InlineData("Host")]
    [InlineData("X-Forwarded-For")]
    [InlineData("X-Request-Id")]
    [InlineData("X-Gateway-Key")]
    [InlineData("Content-Type")]
    [InlineData("Transfer-Encoding")]
    [InlineData("User-Agent")]
    [InlineData("my key")]
    [InlineData("X-*")]
    [InlineData("X-Key-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData("")]
    public void A_header_that_means_something_else_cannot_hold_keys(string header)
    {
        _configuration.Set("Authentication:ApiKeys:Header", $"\"{header}\"");

        Assert.Equal("Authentication:ApiKeys:Header", _configuration.LoadBad().Key);
    }

    [Fact]
    public void A_route_cannot_forward_the_header_of_keys()
    {
        _configuration.Set($"{Keys}:one", $$"""{ "Sha256": "{{Good}}", "Organizations": ["o-1"] }""")
            .Set("ReverseProxy:Routes:organizations:Metadata", """{ "ForwardHeaders": "X-User-Id, x-api-key" }""");

        Assert.Equal("ReverseProxy:Routes:organizations:Metadata:ForwardHeaders", _configuration.LoadBad().Key);
    }

    [Fact]
    public void Expired_keys_and_keys_without_an_organization_are_warnings_that_name_a_few()
    {
        _configuration.Set($"{Keys}:old", $$"""{ "Sha256": "{{Good}}", "Organizations": ["o-1"], "Expires": "2020-01-01T00:00:00Z" }""");
        for (var number = 0; number < 30; number++)
            _configuration.Set($"{Keys}:lost-{number}", $$"""{ "Sha256": "{{ApiKeyText.Sha256Of($"{number}")}}" }""");

        var result = _configuration.Load();

        Assert.NotNull(result.Snapshot);
        Assert.Contains(result.Findings, static finding =>
            finding.Key == $"{Keys}:old" && finding.Message.Contains("past their Expires", StringComparison.Ordinal));
        Assert.Contains(result.Findings, static finding =>
            finding.Key == Keys && finding.Message.Contains("and 20 more", StringComparison.Ordinal)
            && finding.Message.Contains("RequireOrganization", StringComparison.Ordinal));
    }

    [Fact]
    public void The_names_of_both_schemes_are_reserved_and_may_stand_in_policies_where_they_are_configured()
    {
        _configuration.Set("Authentication:Schemes:apikeys", """{ "Authority": "https://other.example.com", "ValidAudiences": ["a"] }""");
        Assert.Equal("Authentication:Schemes:apikeys", _configuration.LoadBad().Key);
        _configuration.Set("Authentication:Schemes:apikeys", null).Set("Authorization:Policies:Robots", """{ "Schemes": ["ApiKeys"] }""");
        Assert.Equal("Authorization:Policies:Robots:Schemes:0", _configuration.LoadBad().Key);

        _configuration.Set($"{Keys}:one", $$"""{ "Sha256": "{{Good}}", "Organizations": ["o-1"] }""");

        _configuration.LoadGood();
    }

    [Theory]
    [MemberData(nameof(BadIntrospection))]
    public void A_bad_setting_of_introspection_is_an_error_at_its_key(string key, string value, string part)
    {
        Introspect();
        _configuration.Set($"Authentication:Introspection:{key}", value);

        var finding = _configuration.LoadBad();

        Assert.StartsWith($"Authentication:Introspection:{key}", finding.Key, StringComparison.Ordinal);
        Assert.Contains(part, finding.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("password", finding.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://id.example.com/introspect", true)]
    [InlineData("http://127.0.0.1:5000/introspect", false)]
    [InlineData("http://localhost/introspect", false)]
    public void An_endpoint_over_http_is_a_warning_but_on_this_machine(string address, bool warns)
    {
        Introspect();
        _configuration.Set("Authentication:Introspection:Address", $"\"{address}\"");

        Assert.Equal(warns, _configuration.Load().Findings.Any(static finding => finding.Key == "Authentication:Introspection:Address"));
        Assert.NotNull(_configuration.Load().Snapshot);
    }

    [Theory]
    [InlineData("Authentication:ApiKeys:Keys:ci-robot:Sha256", "Authentication:ApiKeys:Keys:ci-robot:Sha256")]
    [InlineData("Authentication:ApiKeys:Keys", "Authentication:ApiKeys:Keys")]
    [InlineData("Authentication:Schemes:9f86d081884c7d659a2feaa0c55ad015", "Authentication:Schemes:9f86d081884c7d659a2feaa0c55ad015")]
    [InlineData("Authentication:ApiKeys:Keys:9f86d081884c7d659a2feaa0c55ad015a3bf:Sha256", "Authentication:ApiKeys:Keys:…:Sha256")]
    [InlineData("authentication:apikeys:keys:9f86d081884c7d659a2feaa0c55ad015a3bf", "authentication:apikeys:keys:…")]
    public void A_path_for_messages_hides_what_may_be_a_key(string path, string shown) => Assert.Equal(shown, KeyPath.Shown(path));

    private Finding Error() => Assert.Single(_configuration.Load().Findings, static finding => finding.Severity == Severity.Error);

    private void Introspect()
    {
        _configuration.Write("secret", "a-secret\n");
        _configuration.Write("empty", " \n");
        _configuration.Write("two", "one\ntwo\n");
        _configuration.Set("Authentication:Introspection", """
            { "Address": "https://id.example.com/introspect", "ClientId": "gateway", "ClientSecretPath": "secret",
              "Organizations": { "Claim": "organizations" } }
            """);
        Assert.NotNull(_configuration.Load().Snapshot);
        Assert.Equal("a-secret", Encoding.UTF8.GetString(File.ReadAllBytes(Path.Combine(_configuration.Folder, "secret"))).Trim());
    }
}
