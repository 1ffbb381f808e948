using System.Text.Json.Nodes;
using Gateway.Configuration.Schema;
using Gateway.Differences;
using IotCredentials.Policies;
using Testing;
using Xunit;

namespace Gateway.Tests.Differences;

/// <summary>What a change of the configuration means.</summary>
public sealed class ConfigurationComparisonTests
{
    private const string Reports = "ReverseProxy:Routes:reports";
    private const string Platform = "Authentication:Schemes:Platform";
    private const string Robot = "Authentication:ApiKeys:Keys:robot";
    private const string Profile = "IotCredentials:Profiles:default";

    // Each opens something. The words are part of what is told.
    private static readonly (string Words, Action<JsonObject> Edit)[] s_loosened =
    [
        ("route reports: Access", settings => settings.Set($"{Reports}:AuthorizationPolicy", "\"Anonymous\"")
            .Set($"{Reports}:Match:Path", "\"/reports/{id}/{**rest}\"")),
        ("route tasks: Access:Scopes: ", settings => settings.Remove("ReverseProxy", "Routes", "tasks", "AuthorizationPolicy")),
        ("route tasks: Access: ", settings => settings.Set("ReverseProxy:Routes:tasks:AuthorizationPolicy", "\"Anonymous\"")),
        ("Access:Scopes: ", settings => settings.Remove("Authorization", "Policies", "Reader", "Scopes")),
        ("Access:Scopes: +write", settings => settings.Set("Authorization:Policies:Reader:Scopes", """["read", "write"]""")),
        ("Access:Roles: ", settings => settings.Remove("Authorization", "Policies", "Reader", "Roles")),
        ("Access:Schemes: ", settings => settings.Set("Authorization:Policies:Reader:Schemes", """["Platform", "ApiKeys"]""")),
        ("Metadata:AnyOrganization: ", settings => settings.Set("Authorization:Policies:Reader:RequireOrganization", "false")
            .Set($"{Reports}:Metadata:AnyOrganization", "\"true\"")),
        ("may take requests that route private took", settings => settings.Set("ReverseProxy:Routes:open:Order", "-1")
            .Set("ReverseProxy:Routes:private:Match:Path", "\"/open/{**rest}\"").Set("ReverseProxy:Routes:private:Match:Methods", """["POST"]""")
            .Set("ReverseProxy:Routes:open:Match:Methods", """["POST", "GET"]""").Set("ReverseProxy:Routes:open:Match:Hosts", """["localhost"]""")),
        ("may take requests that route private took", settings => settings.Remove("ReverseProxy", "Routes", "private")),
        ("route other: added", settings => settings.Route("other", "/other/{**rest}")),
        ("route reports: matches", settings => settings.Set($"{Reports}:Match:Methods", """["GET", "POST"]""")),
        ("route reports: matches", settings => settings.Remove("ReverseProxy", "Routes", "reports", "Match", "Hosts")),
        ("route reports: matches", settings => settings.Remove("ReverseProxy", "Routes", "reports", "Match", "Headers")),
        ("route tasks: matches", settings => settings.Set("ReverseProxy:Routes:tasks:Match:Path", "\"/jobs/{**rest}\"")),
        ("Metadata:IpAllow: ", settings => settings.Set($"{Reports}:Metadata:IpAllow", "\"10.0.0.0/7\"")),
        ("Metadata:IpAllow: ", settings => settings.Remove("ReverseProxy", "Routes", "reports", "Metadata", "IpAllow")),
        ("Metadata:ForwardAuthorization: ", settings => settings.Set($"{Reports}:Metadata:ForwardAuthorization", "\"true\"")),
        ("Metadata:ForwardCookies: ", settings => settings.Set($"{Reports}:Metadata:ForwardCookies", "\"true\"")),
        ("Metadata:ForwardHeaders: ", settings => settings.Set($"{Reports}:Metadata:ForwardHeaders", "\"CF-Ray, X-User-Id\"")),
        ("route reports: Limit", settings => settings.Remove("ReverseProxy", "Routes", "reports", "RateLimiterPolicy")),
        ("Limit:PermitLimit: 5 → 50", settings => settings.Set("RateLimiting:Policies:Few:PermitLimit", "50")),
        ("Limit:Window: ", settings => settings.Set("RateLimiting:Policies:Few:Window", "\"00:00:10\"")),
        ("Limit:PartitionBy: ", settings => settings.Set("RateLimiting:Policies:Few:PartitionBy", "\"ClientIp\"")),
        ("Limit:CountedWith: ", settings => settings.Set("RateLimiting:Policies:Same", """
            { "Algorithm": "FixedWindow", "PartitionBy": "Subject", "PermitLimit": 5, "Window": "00:01:00" }
            """).Set("ReverseProxy:Routes:tasks:RateLimiterPolicy", "\"Same\"")),
        ("CorsPolicy:Origins: +https://other.example.com", settings => settings.Set("Cors:Policies:Web:Origins",
            """["https://app.example.com", "https://other.example.com"]""")),
        ("CorsPolicy:Methods: ", settings => settings.Set("Cors:Policies:Web:Methods", """["PUT", "DELETE"]""")),
        ("CorsPolicy:Headers: ", settings => settings.Set("Cors:Policies:Web:Headers", """["authorization", "x-other"]""")),
        ("CorsPolicy:AllowCredentials: ", settings => settings.Set("Cors:Policies:Web:AllowCredentials", "true")),
        ("route tasks: CorsPolicy", settings => settings.Set("ReverseProxy:Routes:tasks:CorsPolicy", "\"Web\"")),
        ("Timeout: ", settings => settings.Set($"{Reports}:Timeout", "\"00:00:20\"")),
        ("Timeout: ", settings => settings.Remove("ReverseProxy", "Routes", "reports", "Timeout")),
        ("MaxRequestBodySize: ", settings => settings.Set($"{Reports}:MaxRequestBodySize", "2000")),
        ("MaxRequestBodySize: ", settings => settings.Set($"{Reports}:MaxRequestBodySize", "-1")),
        ("MaxRequestBodySize: ", settings => settings.Set("Kestrel:Limits:MaxRequestBodySize", "2000000")),
        ("TransformValues: changed, not shown", settings => settings.Set(
            $"{Reports}:Transforms", """[{ "RequestHeader": "Authorization", "Set": "Basic hunter3" }]""")),
        ("Transforms: ", settings => settings.Set($"{Reports}:Transforms", """[{ "PathPrefix": "/v2" }]""")),
        ($"{Platform}:ValidAudiences: ", settings => settings.Set($"{Platform}:ValidAudiences", """["api://gateway", "api://other"]""")),
        ($"{Platform}:ClientIds: ", settings => settings.Remove("Authentication", "Schemes", "Platform", "ClientIds")),
        ($"{Platform}:ValidIssuers: ", settings => settings.Set($"{Platform}:ValidIssuers", """["https://id.example.com", "https://other.example.com"]""")),
        ($"{Platform}:Authority: ", settings => settings.Set($"{Platform}:Authority", "\"https://other.example.com\"")),
        ($"{Platform}:AcceptIdTokens: ", settings => settings.Set($"{Platform}:AcceptIdTokens", "true")),
        ($"{Platform}:ClockSkew: ", settings => settings.Set($"{Platform}:ClockSkew", "\"00:05:00\"")),
        ($"{Platform}:RoleClaim: ", settings => settings.Set($"{Platform}:RoleClaim", "\"groups\"")),
        ($"{Platform}:SubjectClaim: ", settings => settings.Set($"{Platform}:SubjectClaim", "\"oid\"")),
        ($"{Platform}:Organizations:Claim: ", settings => settings.Set($"{Platform}:Organizations:Claim", "\"orgs\"")),
        ($"{Platform}:Organizations:Only: ", settings => settings.Remove("Authentication", "Schemes", "Platform", "Organizations", "Only")),
        ($"{Platform}:Organizations:Only: +o-gamma", settings => settings.Set($"{Platform}:Organizations:Only", """["o-acme", "o-beta", "o-gamma"]""")),
        ("Authentication:Schemes:Partner: added", settings => settings.Set(
            "Authentication:Schemes:Partner", """{ "Authority": "https://partner.example.com", "ValidAudiences": ["api://gateway"] }""")),
        ("Authentication:Introspection: added", settings => settings.Set("Authentication:Introspection",
            """{ "Address": "https://id.example.com/introspect", "ClientId": "gateway", "ClientSecretPath": "secret" }""")),
        ("AzureAd: added", settings => settings.Set(
            "AzureAd", """{ "TenantId": "11111111-1111-1111-1111-111111111111", "ClientId": "22222222-2222-2222-2222-222222222222" }""")),
        ("Authentication:ApiKeys:Keys:second: added", settings => settings.Set(
            "Authentication:ApiKeys:Keys:second", $$"""{ "Sha256": "{{new string('b', 64)}}" }""")),
        ($"{Robot}:Sha256: changed, not shown", settings => settings.Set($"{Robot}:Sha256", $"\"{new string('c', 64)}\"")),
        ($"{Robot}:Organizations: ", settings => settings.Set($"{Robot}:Organizations", """["o-acme", "o-beta"]""")),
        ($"{Robot}:Scopes: ", settings => settings.Set($"{Robot}:Scopes", """["read", "write"]""")),
        ($"{Robot}:Expires: ", settings => settings.Remove("Authentication", "ApiKeys", "Keys", "robot", "Expires")),
        ($"{Robot}:IpAllow: ", settings => settings.Set($"{Robot}:IpAllow", """["10.0.0.0/8", "192.0.2.1"]""")),
        ("Urls: ", settings => settings.Set("Urls", "\"http://*:8080\"")),
        ("AllowedHosts: ", settings => settings.Remove("AllowedHosts")),
        ("Edge:Methods: +DELETE", settings => settings.Set("Edge:Methods", """["GET", "POST", "OPTIONS", "DELETE"]""")),
        ("Edge:TrustedProxies: ", settings => settings.Set("Edge:TrustedProxies", """["10.0.0.1"]""")),
        ("Edge:UpgradesPerCaller: ", settings => settings.Set("Edge:UpgradesPerCaller", "20")),
        ("Edge:FailedAuthentications:PermitLimit: ", settings => settings.Set("Edge:FailedAuthentications:PermitLimit", "20")),
        ("Management:Access: added", settings => settings.Set("Management:AuthorizationPolicy", "\"Operator\"")),
        ("Kestrel:Limits:MaxConcurrentConnections: ", settings => settings.Set("Kestrel:Limits:MaxConcurrentConnections", "2000")),
        ("Kestrel:Limits:KeepAliveTimeout: ", settings => settings.Set("Kestrel:Limits:KeepAliveTimeout", "\"00:02:00\"")),
        ("HttpClient:DangerousAcceptAnyServerCertificate: ", settings => settings.Set(
            "ReverseProxy:Clusters:organizations:HttpClient:DangerousAcceptAnyServerCertificate", "true")),
        ("HttpClient:SslProtocols: ", settings => settings.Set("ReverseProxy:Clusters:organizations:HttpClient:SslProtocols", """["Tls12"]""")),
        ("profile default: SessionDuration: 01:00:00 → 02:00:00", settings => settings.Set($"{Profile}:SessionDuration", "\"02:00:00\"")),
        ("profile default: RoleArn: ", settings => settings.Set($"{Profile}:RoleArn", "\"arn:aws:iam::111122223333:role/wide\"")),
        ("profile default: SessionTags: ", settings => settings.Remove("IotCredentials", "Profiles", "default", "SessionTags")),
        ("profile default: SessionPolicy: a session may now connect as client", settings => settings.Set($"{Profile}:Region", "\"eu-west-1\"")),
        ("profile default for o-acme: SessionDuration: ", settings => settings.Set("IotCredentials:Organizations:o-acme:SessionDuration", "\"00:45:00\"")),
        ("profile other: RoleArn: ", settings => settings.Set("ReverseProxy:Routes:iot-endpoint-and-credentials:Metadata:Profile", "\"other\"")),
        ("profile other: Scope: User → Organization", settings => settings.Set("IotCredentials:Profiles:other:Scope", "\"Organization\"")),
        ("Authentication:Schemes:Access: added", settings => settings.Set(
            "Authentication:Schemes:Access", """{ "Authority": "https://partner.example.com", "ValidAudiences": ["api://gateway"] }""")),
        ("Authentication:ApiKeys:Keys:Only: added", settings => settings.Set(
            "Authentication:ApiKeys:Keys:Only", $$"""{ "Sha256": "{{new string('b', 64)}}" }""")),
        ("route reports: cluster Access: HttpClient:DangerousAcceptAnyServerCertificate: false → true", settings => settings.Set(
            "ReverseProxy:Clusters:Access", """
                { "Destinations": { "a": { "Address": "https://localhost:5009/" } }, "HttpClient": { "DangerousAcceptAnyServerCertificate": true } }
                """).Set($"{Reports}:ClusterId", "\"Access\"")),
        ("route renamed: may take requests that route tasks took, such as /tasks/x, and asks for less: Limit:CountedWith: reports → none",
            settings => settings.Remove("ReverseProxy", "Routes", "tasks").Set("RateLimiting:Policies:Same", """
                { "Algorithm": "FixedWindow", "PartitionBy": "Subject", "PermitLimit": 5, "Window": "00:01:00" }
                """).Route("renamed", "/tasks/{**rest}", """{ "RateLimiterPolicy": "Same", "AuthorizationPolicy": "Operator" }""")),
        ("route renamed: may take requests that route tasks took, such as /tasks/x, and asks for less: TransformValues: changed, not shown; Transforms: ",
            settings => settings.Remove("ReverseProxy", "Routes", "tasks").Route("renamed", "/tasks/{**rest}", """
                { "RateLimiterPolicy": "Few", "AuthorizationPolicy": "Operator", "Transforms": [{ "PathPrefix": "/v2" }] }
                """)),
        ("route part: may take requests that route tasks took, such as /tasks/private/x, and asks for less: "
            + "cluster wide: HttpClient:DangerousAcceptAnyServerCertificate: false → true",
            settings => settings.Set("ReverseProxy:Clusters:wide", """
                { "Destinations": { "a": { "Address": "https://localhost:5009/" } }, "HttpClient": { "DangerousAcceptAnyServerCertificate": true } }
                """).Route("part", "/tasks/private/{**rest}", """{ "RateLimiterPolicy": "Few", "AuthorizationPolicy": "Operator" }""")
                .Set("ReverseProxy:Routes:part:ClusterId", "\"wide\"")),
        ("route part: may take requests that route tasks took, such as /tasks/private/x, and asks for less: TransformValues: changed, not shown; Transforms: ",
            settings => settings.Route("part", "/tasks/private/{**rest}", """
                { "RateLimiterPolicy": "Few", "AuthorizationPolicy": "Operator", "Transforms": [{ "PathPrefix": "/v2" }] }
                """)),
        ("IotCredentials:OrganizationId:Length:Max: 32 → 64", settings => settings.Set("IotCredentials:OrganizationId:Length:Max", "64")),
        ("IotCredentials:Timeout: ", settings => settings.Set("IotCredentials:Timeout", "\"00:00:09\"")),
        ("IotCredentials:Sts:PermitsPerSecond: ", settings => settings.Set("IotCredentials:Sts:PermitsPerSecond", "200")),
    ];

    // The same, from another configuration before.
    private static readonly (string Words, Action<JsonObject> Before, Action<JsonObject> Edit)[] s_loosenedFrom =
    [
        ("route ids: matches /ids/{id} → /ids/{id=latest}, and may take requests that no route took",
            settings => settings.Route("ids", "/ids/{id}"), settings => settings.Set("ReverseProxy:Routes:ids:Match:Path", "\"/ids/{id=latest}\"")),
        ("route ids: matches /ids/{id} headers X-Key ExactHeader … → /ids/{id} headers X-Key ExactHeader … (values are not shown), and may take",
            settings => settings.Route("ids", "/ids/{id}", """{ "Match": { "Headers": [{ "Name": "X-Key", "Values": ["a|b"] }] } }"""),
            settings => settings.Set("ReverseProxy:Routes:ids:Match:Headers", """[{ "Name": "X-Key", "Values": ["a", "b"] }]""")),
        ("route ids: added: /ids, which may take requests that no route took",
            settings => settings.Route("some", "/ids/{*rest:int}"), settings => settings.Route("ids", "/ids")),
        ("route ids: added: /ids, which may take requests that no route took",
            settings => settings.Route("some", "/ids/{id:int=latest}"), settings => settings.Route("ids", "/ids")),
        ("Edge:TrustedProxies: ",
            settings => settings.Set("Edge:TrustedProxies", """["10.0.0.1"]"""), settings => settings.Set("Edge:TrustedProxies", "[]")),
        ("route iot-endpoint-and-credentials: profile renamed for o-acme: SessionDuration: 00:30:00 → 00:45:00",
            static _ => { },
            settings =>
            {
                settings.Set("IotCredentials:Profiles:renamed", settings["IotCredentials"]!["Profiles"]!["default"]!.ToJsonString())
                    .Set("ReverseProxy:Routes:iot-endpoint-and-credentials:Metadata:Profile", "\"renamed\"")
                    .Set("IotCredentials:Organizations:o-acme:SessionDuration", "\"00:45:00\"")
                    .Remove("IotCredentials", "Profiles", "default");
            }),
        ("route reports: Limit:PartitionBy: Organization → Subject",
            settings => settings.Set("RateLimiting:Policies:Few:PartitionBy", "\"Organization\""),
            settings => settings.Set("Authorization:Policies:Reader:RequireOrganization", "false").Set($"{Reports}:Metadata:AnyOrganization", "\"true\"")),
        ("profile default for o-acme: RoleArn: the account is compared with the directory's → the account is not compared with the directory's",
            settings => settings.Set("IotCredentials:Directory",
                """{ "Address": "https://directory.example.com/{organizationId}", "AllowedAccounts": ["111122223333"] }"""),
            settings => settings.Set("IotCredentials:Organizations:o-acme:RoleArn", "\"arn:aws:iam::111122223333:role/iot-organization\"")),
        ($"{Robot}: removed: the introspection endpoint may accept the key",
            settings => settings.Set("Authentication:Introspection",
                """{ "Address": "https://id.example.com/introspect", "ClientId": "gateway", "ClientSecretPath": "secret" }"""),
            settings => settings.Remove("Authentication", "ApiKeys", "Keys", "robot")),
    ];

    // Each keeps something out, and opens nothing.
    private static readonly (string Words, Action<JsonObject> Edit)[] s_tightened =
    [
        ("Access:Roles: ", settings => settings.Set("Authorization:Policies:Operator:Roles", """["operator"]""")),
        ("route open: Access", settings => settings.Remove("ReverseProxy", "Routes", "open", "AuthorizationPolicy")),
        ("route tasks: removed", settings => settings.Remove("ReverseProxy", "Routes", "tasks")),
        ("Limit:PermitLimit: 5 → 4", settings => settings.Set("RateLimiting:Policies:Few:PermitLimit", "4")),
        ("route reports: Limit:CountedWith: +open", settings => settings.Set("ReverseProxy:Routes:open:RateLimiterPolicy", "\"Few\"")),
        ("Metadata:IpAllow: ", settings => settings.Set($"{Reports}:Metadata:IpAllow", "\"10.1.0.0/16\"")),
        ("Timeout: ", settings => settings.Set($"{Reports}:Timeout", "\"00:00:05\"")),
        ("MaxRequestBodySize: ", settings => settings.Set($"{Reports}:MaxRequestBodySize", "500")),
        ("route reports: matches", settings => settings.Set($"{Reports}:Match:QueryParameters", """[{ "Name": "q", "Mode": "Exists" }]""")),
        ("Organizations:Only: -o-beta", settings => settings.Set($"{Platform}:Organizations:Only", """["o-acme"]""")),
        ("robot: removed", settings => settings.Set("Authentication:ApiKeys:Keys", "{}")),
        ("SessionDuration: ", settings => settings.Set($"{Profile}:SessionDuration", "\"00:50:00\"")),
    ];

    // Each changes something, and neither opens nor keeps out.
    private static readonly (string Words, Action<JsonObject> Edit)[] s_changed =
    [
        ("route part: added", settings => settings
            .Set("ReverseProxy:Clusters:other", """
                { "Destinations": { "a": { "Address": "http://localhost:5003/" } }, "HttpRequest": { "ActivityTimeout": "00:01:00" } }
                """)
            .Route("part", "/tasks/private/{**rest}", """
                { "RateLimiterPolicy": "Few", "AuthorizationPolicy": "Operator", "Transforms": [{ "PathPrefix": "/v2" }] }
                """).Set("ReverseProxy:Routes:part:ClusterId", "\"other\"")),
        ("route reports2: added", settings => settings.Route("reports2", "/tasks/private/{**rest}", """
            { "AuthorizationPolicy": "Operator", "RateLimiterPolicy": "Few" }
            """)),
        ("Destinations:a:Address: http://localhost:5001/ → http://localhost:5002/", settings => settings.Set(
            "ReverseProxy:Clusters:organizations:Destinations:a:Address", "\"http://user:hunter2@localhost:5002/\"")),
        ("LoadBalancingPolicy: PowerOfTwoChoices → RoundRobin", settings => settings.Set(
            "ReverseProxy:Clusters:organizations:LoadBalancingPolicy", "\"RoundRobin\"")),
        ("Destinations:b: added", settings => settings.Set(
            "ReverseProxy:Clusters:organizations:Destinations:b", """{ "Address": "http://localhost:5003/", "Metadata": { "Version": "2" } }""")),
        ("Order: 0 → -3", settings => settings.Set("ReverseProxy:Routes:tasks:Order", "-3")),
        ("Metadata:Retries: 0 → 1", settings => settings.Set("ReverseProxy:Routes:tasks:Metadata:Retries", "\"1\"")),
        ("Logging:LogLevel:Default: ", settings => settings.Set("Logging:LogLevel:Default", "\"Warning\"")),
        ("Logging:LogLevel:Access: ", settings => settings.Set("Logging:LogLevel:Access", "\"Warning\"")),
        ("Destinations:Access: added", settings => settings.Set(
            "ReverseProxy:Clusters:organizations:Destinations:Access", """{ "Address": "http://localhost:5003/" }""")),
        ("ReverseProxy:Clusters:Limit: added", settings => settings.Set(
            "ReverseProxy:Clusters:Limit", """{ "Destinations": { "a": { "Address": "http://localhost:5003/" } } }""")),
        ("route renamed: added", settings => settings.Remove("ReverseProxy", "Routes", "tasks")
            .Route("renamed", "/tasks/{**rest}", """{ "RateLimiterPolicy": "Few", "AuthorizationPolicy": "Operator" }""")),
        ("Authorization:Policies:Unused: added", settings => settings.Set("Authorization:Policies:Unused", """{ "Scopes": ["x"] }""")),
    ];

    // Only the form differs.
    private static readonly Action<JsonObject>[] s_same =
    [
        _ => { },
        settings => settings.Set($"{Platform}:ClockSkew", "\"00:00:30\"").Set($"{Platform}:RoleClaim", "\"roles\""),
        settings => settings.Set($"{Platform}:ValidIssuers", """["https://id.example.com"]"""),
        settings => settings.Set("ReverseProxy:Routes:tasks:Order", "0").Set("ReverseProxy:Routes:tasks:Transforms", "[]")
            .Set("ReverseProxy:Routes:tasks:MaxRequestBodySize", "1000000"),
        settings => settings.Set("ReverseProxy:Routes:tasks:Metadata", """{ "Retries": "0", "AnyOrganization": "false" }"""),
        settings => settings.Set("ReverseProxy:Clusters:organizations:LoadBalancingPolicy", "\"PowerOfTwoChoices\"")
            .Set("ReverseProxy:Clusters:organizations:HttpClient", """{ "DangerousAcceptAnyServerCertificate": false }"""),
        settings => settings.Set($"{Profile}:SessionDuration", "\"01:00:00\"").Set($"{Profile}:Scope", "\"Organization\""),
        settings => settings.Set("Cors:Policies:Web:MaxAge", "\"00:10:00\"").Set("Cors:Policies:Web:ExposedHeaders", """["X-Request-Id", "Retry-After"]"""),
        settings => settings.Set("Edge:Methods", """["OPTIONS", "POST", "GET"]"""),
        settings => settings.Set($"{Robot}:Sha256", $"\"{new string('A', 64)}\""),
        settings => settings["reverseproxy"] = Renamed(settings, "ReverseProxy"),
        settings => settings["AUTHENTICATION"] = Renamed(settings, "Authentication"),
    ];

    [Fact]
    public void Every_loosening_is_told_with_its_words()
    {
        var before = ConfigurationPair.Read(ConfigurationPair.Before());
        Assert.All(Sample.Of(20, s_loosened), row =>
        {
            var changes = ConfigurationPair.Compare(before, row.Edit);
            Assert.True(changes.Any(change => change.Loosens && $"{change.Subject}: {change.Text}".Contains(row.Words, StringComparison.Ordinal)),
                $"{row.Words}\n{string.Join('\n', changes)}");
        });
    }

    [Fact]
    public void Without_a_directory_the_role_of_an_entry_is_told_as_a_role_alone()
    {
        var changes = ConfigurationPair.Compare(
            _ => { }, static settings => settings.Set("IotCredentials:Organizations:o-beta:RoleArn", "\"arn:aws:iam::111122223333:role/beta\""));

        Assert.Equal(
            ["RoleArn: arn:aws:iam::111122223333:role/iot-organization → arn:aws:iam::111122223333:role/beta",
                "RoleArn: arn:aws:iam::111122223333:role/other → arn:aws:iam::111122223333:role/beta"],
            changes.Select(static change => change.Text).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_loosening_of_another_configuration_is_told_with_its_words() => Assert.All(s_loosenedFrom, static row =>
    {
        var changes = ConfigurationPair.Compare(row.Before, row.Edit);
        Assert.True(changes.Any(change => change.Loosens && $"{change.Subject}: {change.Text}".Contains(row.Words, StringComparison.Ordinal)),
            $"{row.Words}\n{string.Join('\n', changes)}");
    });

    [Fact]
    public void Lists_whose_items_look_alike_together_differ()
    {
        var (one, two) = (Setting.Of(new[] { "admin, operator" })!, Setting.Of(new[] { "admin", "operator" })!);

        Assert.False(one.IsSameValue(two));
        Assert.False(Setting.Steps([Map(("A", "x, B=y"))]).IsSameValue(Setting.Steps([Map(("A", "x"), ("B", "y"))])));

        static Dictionary<string, string> Map(params (string, string)[] entries) => entries.ToDictionary();
    }

    [Fact]
    public void More_pairs_of_routes_than_are_compared_count_as_loosened()
    {
        var before = ConfigurationPair.Read(ConfigurationPair.Before());
        var after = ConfigurationPair.Read(ConfigurationPair.Before().Set("ReverseProxy:Routes:tasks:Order", "-3"));

        var changes = ConfigurationComparison.Of(new EffectiveConfiguration(before), new EffectiveConfiguration(after), mostPairs: 1);

        Assert.Contains(changes, static change => change is { Loosens: true, Subject: "routes" });
    }

    [Fact]
    public void What_keeps_more_out_is_tightened_and_loosens_nothing() => AssertNoneLoosens(s_tightened, Effect.Tightened);

    [Fact]
    public void What_only_leads_elsewhere_is_a_change() => AssertNoneLoosens(s_changed, Effect.Changed);

    [Fact]
    public void Another_form_of_the_same_configuration_is_no_change()
    {
        var before = ConfigurationPair.Read(ConfigurationPair.Before());
        var hash = new EffectiveConfiguration(before).Hash();
        foreach (var edit in s_same)
        {
            var settings = ConfigurationPair.Before();
            edit(settings);
            var after = ConfigurationPair.Read(settings);
            Assert.Empty(ConfigurationComparison.Of(before, after));
            Assert.True(hash == new EffectiveConfiguration(after).Hash(), settings.ToString());
        }
    }

    [Fact]
    public void Any_host_is_any_host_in_whichever_list_it_stands() => Assert.Empty(ConfigurationPair.Compare(
        settings => settings.Set("AllowedHosts", "\"*\""), settings => settings.Set("AllowedHosts", "\"api.example.com;*\"")));

    [Theory]
    [InlineData("topic/{organizationId}/*", "topic/{organizationId}/a*", Effect.Tightened,
        "a session may no longer publish to topic {organizationId}/*, such as ")]
    [InlineData("client/{organizationId}-web-*", "client/{organizationId}-*", Effect.Loosened,
        "a session may now connect as client {organizationId}-*, such as ")]
    public void A_session_policy_is_compared_by_what_it_reaches(string resource, string another, object effect, string words)
    {
        var before = ConfigurationPair.Read(ConfigurationPair.Before());

        var changes = ConfigurationPair.Compare(before, _ => { }, folder => folder.Write(
            "policies/organization.json",
            folder.Read("policies/organization.json").Replace($":{resource}\"", $":{another}\"", StringComparison.Ordinal)));

        Assert.Contains(changes, change => change.Effect == (Effect)effect && change.Text.Contains(words, StringComparison.Ordinal));
        Assert.Equal((Effect)effect == Effect.Loosened, changes.Any(static change => change.Loosens));
    }

    [Fact]
    public void A_network_within_another_is_no_change()
    {
        var before = ConfigurationPair.Read(ConfigurationPair.Before());

        Assert.Empty(ConfigurationPair.Compare(before, settings => settings.Set($"{Reports}:Metadata:IpAllow", "\"10.0.0.0/8 10.1.0.0/16\"")));
    }

    [Theory]
    [InlineData("a/*", "a/b", true)]
    [InlineData("a/*", "a/*", true)]
    [InlineData("a/*", "a/?/+/#", true)]
    [InlineData("a*c*", "abc*", true)]
    [InlineData("a/?", "a/b", true)]
    [InlineData("a/?", "a/*", false)]
    [InlineData("a/b", "a/*", false)]
    [InlineData("a*c", "abc*", false)]
    [InlineData("a/*", "b/*", false)]
    [InlineData("a/?*", "a/*", false)]
    public void A_grant_covers_another_only_if_it_covers_all_of_it(string resource, string other, bool covers) => Assert.Equal(
        covers, new SessionPolicyGrant("iot:Publish", resource, null).Covers(new SessionPolicyGrant("iot:publish", other, "x")));

    [Fact]
    public void A_session_policy_in_another_order_is_no_change()
    {
        var before = ConfigurationPair.Read(ConfigurationPair.Before());

        var changes = ConfigurationPair.Compare(before, _ => { }, folder =>
        {
            var policy = JsonNode.Parse(folder.Read("policies/organization.json"))!;
            var statements = policy["Statement"]!.AsArray().Select(static statement => statement!.DeepClone().AsObject()).Reverse().ToArray();
            statements[^1]["Sid"] = "Renamed";
            policy["Statement"] = new JsonArray(statements);
            folder.Write("policies/organization.json", policy.ToJsonString());
        });

        Assert.Empty(changes);
    }

    [Fact]
    public void No_secret_is_told_or_hashed()
    {
        var before = ConfigurationPair.Read(With("hunter1"));
        var after = ConfigurationPair.Read(With("hunter2").Set($"{Robot}:Sha256", $"\"{new string('d', 64)}\""));

        var changes = ConfigurationComparison.Of(before, after);

        Assert.All(
            (string[])["Destinations:a:Address", "a:OwnMetadata:Key: changed", "Active:Query: changed", "robot:Sha256: changed", "(values are not shown)"],
            words => Assert.Contains(changes, change => $"{change.Subject}: {change.Text}".Contains(words, StringComparison.Ordinal)));
        Assert.DoesNotContain("hunter", string.Join('\n', changes), StringComparison.Ordinal);
        Assert.DoesNotContain("dddd", string.Join('\n', changes), StringComparison.Ordinal);
        Assert.Equal(new EffectiveConfiguration(before).Hash(), new EffectiveConfiguration(after).Hash());

        static JsonObject With(string secret) => ConfigurationPair.Before()
            .Set("ReverseProxy:Clusters:organizations:Destinations:a", $$"""
                { "Address": "http://user:{{secret}}@localhost:5001/", "Metadata": { "Key": "{{secret}}" } }
                """)
            .Set("ReverseProxy:Clusters:organizations:HealthCheck:Active", $$"""{ "Query": "?key={{secret}}" }""")
            .Set("ReverseProxy:Routes:tasks:Match:Headers", $$"""[{ "Name": "X-Key", "Values": ["{{secret}}"] }]""")
            .Set("ReverseProxy:Routes:tasks:Match:QueryParameters", $$"""[{ "Name": "key", "Values": ["{{secret}}"] }]""");
    }

    [Fact]
    public void A_key_that_no_rule_names_counts_as_loosened()
    {
        var change = Assert.Single(SettingComparison.Compare(Setting.Of(1), Setting.Of(2), "Edge:NewKey", "x"));

        Assert.Equal((Effect.Unjudged, true), (change.Effect, change.Loosens));
    }

    [Fact]
    public void Every_metadata_of_a_route_has_a_rule() => Assert.DoesNotContain(
        typeof(RouteMetadata).GetProperties(), static property => SettingRules.Find($"ReverseProxy:Routes:r:Metadata:{property.Name}") is null);

    private static void AssertNoneLoosens((string Words, Action<JsonObject> Edit)[] rows, Effect effect)
    {
        var before = ConfigurationPair.Read(ConfigurationPair.Before());
        Assert.All(rows, row =>
        {
            var changes = ConfigurationPair.Compare(before, row.Edit);
            Assert.True(changes.Any(change => change.Effect == effect && $"{change.Subject}: {change.Text}".Contains(row.Words, StringComparison.Ordinal))
                && !changes.Any(static change => change.Loosens), $"{row.Words}\n{string.Join('\n', changes)}");
        });
    }

    private static JsonNode Renamed(JsonObject settings, string name)
    {
        var section = settings[name]!.DeepClone();
        settings.Remove(name);
        return section;
    }
}
