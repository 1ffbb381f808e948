using System.Text.Json.Nodes;
using Gateway.Commands;
using Gateway.Configuration.Snapshots;
using Gateway.Differences;
using Testing;
using Xunit;

namespace Gateway.Tests.Differences;

/// <summary>A configuration that keeps much out, and changes of it.</summary>
internal static class ConfigurationPair
{
    private static readonly ProgramEnvironment s_nothing = ProgramEnvironment.Of(new Dictionary<string, string?>());

    /// <summary>The configuration before.</summary>
    public static JsonObject Before()
    {
        var settings = ShippedSettings.Read();
        settings.Remove("Kestrel");
        settings.Remove("ReverseProxy", "Clusters", "organizations", "HealthCheck");
        return settings
            .Set("Urls", "\"http://127.0.0.1:8080\"")
            .Set("AllowedHosts", "\"api.example.com;localhost\"")
            .Set("Kestrel:Limits", """{ "MaxRequestBodySize": 1000000, "MaxConcurrentConnections": 1000, "KeepAliveTimeout": "00:01:00" }""")
            .Set("Edge", """{ "Methods": ["GET", "POST", "OPTIONS"], "UpgradesPerCaller": 10, "FailedAuthentications": { "PermitLimit": 10 } }""")
            .Set("Authentication:Schemes:Platform:ClientIds", """["web"]""")
            .Set("Authentication:Schemes:Platform:Organizations", """{ "Claim": "organizations", "Only": ["o-acme", "o-beta"] }""")
            .Set("Authentication:ApiKeys:Keys:robot", $$"""
                { "Sha256": "{{new string('a', 64)}}", "Organizations": ["o-acme"], "Scopes": ["read"], "Roles": ["robot"], "Expires": "2100-01-01T00:00:00Z",
                  "IpAllow": ["10.0.0.0/8"] }
                """)
            .Set("Authorization:Policies:Reader", """{ "RequireOrganization": true, "Scopes": ["read"], "Roles": ["reader"], "Schemes": ["Platform"] }""")
            .Set("Authorization:Policies:Operator", """{ "Scopes": ["operate"] }""")
            .Set("RateLimiting:Policies:Few", """{ "Algorithm": "FixedWindow", "PartitionBy": "Subject", "PermitLimit": 5, "Window": "00:01:00" }""")
            .Set("Cors:Policies:Web", """{ "Origins": ["https://app.example.com"], "Methods": ["PUT"], "Headers": ["authorization"] }""")
            .Set("IotCredentials:OrganizationId:Length:Max", "32")
            .Set("IotCredentials:Profiles:other", """
                { "RoleArn": "arn:aws:iam::111122223333:role/other", "Region": "ap-northeast-1", "SessionPolicy": "policies/organization.json",
                  "Scope": "User" }
                """)
            .Set("IotCredentials:Organizations:o-acme", """{ "SessionDuration": "00:30:00", "MinimumLifetime": "00:05:00", "RefreshAfter": "00:15:00" }""")
            .Route("reports", "/reports/{organizationId}/{**rest}", """
                { "AuthorizationPolicy": "Reader", "RateLimiterPolicy": "Few", "CorsPolicy": "Web", "Timeout": "00:00:10", "MaxRequestBodySize": 1000,
                  "Match": { "Methods": ["GET"], "Hosts": ["api.example.com"], "Headers": [{ "Name": "X-Version", "Values": ["1"] }] },
                  "Metadata": { "IpAllow": "10.0.0.0/8", "ForwardHeaders": "CF-Ray" } }
                """)
            .Route("tasks", "/tasks/{**rest}", """{ "RateLimiterPolicy": "Few", "AuthorizationPolicy": "Operator" }""")
            .Route("open", "/open/{**rest}", """{ "AuthorizationPolicy": "Anonymous", "Order": 5 }""")
            .Route("private", "/open/private/{**rest}", """{ "AuthorizationPolicy": "Operator" }""");
    }

    /// <summary>Reads a configuration, which has to be valid.</summary>
    public static Snapshot Read(JsonObject settings, Action<GatewayFolder>? files = null)
    {
        using var folder = new GatewayFolder(settings);
        folder.Write("secret", "a-secret-of-nobody");
        files?.Invoke(folder);
        var read = s_nothing.Load(["--config", folder.Path]);
        Assert.True(read.Snapshot is not null, string.Join('\n', read.Findings));
        return read.Snapshot;
    }

    /// <summary>The changes that an edit makes to an edited <see cref="Before"/>.</summary>
    public static IReadOnlyList<Change> Compare(Action<JsonObject> before, Action<JsonObject> edit)
    {
        var settings = Before();
        before(settings);
        var old = Read(settings);
        edit(settings);
        return ConfigurationComparison.Of(old, Read(settings));
    }

    /// <summary>The changes that an edit makes to <see cref="Before"/>.</summary>
    public static IReadOnlyList<Change> Compare(Snapshot before, Action<JsonObject> edit, Action<GatewayFolder>? files = null)
    {
        var settings = Before();
        edit(settings);
        return ConfigurationComparison.Of(before, Read(settings, files));
    }

    /// <summary>Removes a key.</summary>
    public static JsonObject Remove(this JsonObject settings, params string[] path)
    {
        path[..^1].Aggregate((JsonNode)settings, static (node, name) => node[name]!).AsObject().Remove(path[^1]);
        return settings;
    }
}
