using Gateway.Configuration;
using Gateway.Configuration.Schema;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Identity.Web;
using Xunit;

namespace Gateway.Tests.Configuration;

public sealed class SchemaNodeTests : IDisposable
{
    private readonly ConfigurationFixture _configuration = new();

    public void Dispose() => _configuration.Dispose();

    [Theory]
    [InlineData("Managment", "Management")]
    [InlineData("Management:Urll", "Url")]
    [InlineData("ConnectionStrings:Rediss", "Redis")]
    [InlineData("Sealing:KeyPaht", "KeyPath")]
    [InlineData("Authentication:Scheme", "Schemes")]
    [InlineData("Authentication:Schemes:Platform:ValidAudience", "ValidAudiences")]
    [InlineData("Authentication:Schemes:Platform:Organizations:Formt", "Format")]
    [InlineData("AzureAd:TenantID2", "TenantId")]
    [InlineData("Authorization:Policys", "Policies")]
    [InlineData("Authorization:Policies:OrganizationMember:RequireOrganisation", "RequireOrganization")]
    [InlineData("RateLimiting:Policies:PerOrganization:PermitLimits", "PermitLimit")]
    [InlineData("Cors:Policies:Web:Origin", "Origins")]
    [InlineData("Edge:TrustedProxy", "TrustedProxies")]
    [InlineData("Edge:FailedAuthentications:PermitsLimit", "PermitLimit")]
    [InlineData("Shutdown:Timeuot", "Timeout")]
    [InlineData("IotCredentials:Profile", "Profiles")]
    [InlineData("IotCredentials:Cache:MaxEntrys", "MaxEntries")]
    [InlineData("IotCredentials:Profiles:default:SesionPolicy", "SessionPolicy")]
    [InlineData("IotCredentials:Organizations:o-dedicated:RoleARM", "RoleArn")]
    [InlineData("ReverseProxy:Route", "Routes")]
    [InlineData("ReverseProxy:Routes:organizations:AuthorisationPolicy", "AuthorizationPolicy")]
    [InlineData("ReverseProxy:Routes:organizations:Match:Paht", "Path")]
    [InlineData("ReverseProxy:Routes:organizations:Metadata:AnyOrganisation", "AnyOrganization")]
    [InlineData("ReverseProxy:Clusters:organizations:HealthCheck:Activ", "Active")]
    [InlineData("ReverseProxy:Clusters:organizations:Destinations:a:Addres", "Address")]
    public void UnknownKey_IsAnError_ThatNamesTheNearest(string key, string nearest)
    {
        _configuration.Set(key, "\"x\"");

        var finding = Assert.Single(_configuration.Load().Findings);

        Assert.Equal(key, finding.Key);
        Assert.Contains($"Did you mean \"{nearest}\"?", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void UnknownKey_NearNothing_ListsWhatIsKnown()
    {
        _configuration.Set("Shutdown:Grace", "\"x\"");

        Assert.Contains("Known here: Delay, Timeout.", _configuration.LoadBad().Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Shutdown:Delay", "30", "hh:mm:ss")]
    [InlineData("Shutdown:Delay", "\"30\"", "hh:mm:ss")]
    [InlineData("Shutdown:Delay", "\"00:30\"", "hh:mm:ss")]
    [InlineData("Shutdown:Delay", "\"00:00:99\"", "hh:mm:ss")]
    [InlineData("Edge:FailedAuthentications:PermitLimit", "1.5", "whole number")]
    [InlineData("Edge:FailedAuthentications:PermitLimit", "99999999999", "whole number")]
    [InlineData("Authorization:Policies:OrganizationMember:RequireOrganization", "\"yes\"", "true or false")]
    [InlineData("Authentication:Schemes:Platform:Organizations:Format", "\"Guess\"", "Array, Single, Spaces, Commas, Json")]
    [InlineData("Authentication:Schemes:Platform:Organizations:Format", "1", "Array, Single, Spaces, Commas, Json")]
    [InlineData("RateLimiting:Policies:PerOrganization:Algorithm", "\"Leaky\"", "TokenBucket, FixedWindow")]
    [InlineData("ReverseProxy:Routes:organizations:Timeout", "\"soon\"", "hh:mm:ss")]
    [InlineData("ReverseProxy:Routes:organizations:Order", "\"first\"", "whole number")]
    [InlineData("ReverseProxy:Clusters:organizations:HttpRequest:VersionPolicy", "\"Any\"", "RequestVersionExact")]
    [InlineData("ReverseProxy:Routes:organizations:Metadata:ForwardCookies", "\"yes\"", "true or false")]
    [InlineData("Edge:Methods", "\"GET\"", "single value where a list belongs")]
    [InlineData("Edge:Methods", "{ \"0\": \"GET\" }", "section where a list belongs")]
    [InlineData("Edge:Methods", "[[\"GET\"]]", "list where a single value belongs")]
    [InlineData("Edge:Methods", "[\"GET\", null]", "null")]
    [InlineData("Urls", "[\"http://localhost:1\"]", "list where a single value belongs")]
    [InlineData("Shutdown", "\"now\"", "single value where a section belongs")]
    [InlineData("IotCredentials:Profiles", "[]", "list where a section belongs")]
    public void Value_OfTheWrongForm_IsAnError_ThatSaysWhatToWrite(string key, string json, string expected)
    {
        _configuration.Set(key, json);

        Assert.Contains(_configuration.Load().Findings, finding =>
            finding.Key.StartsWith(key, StringComparison.Ordinal) && finding.Message.Contains(expected, StringComparison.Ordinal));
    }

    [Fact]
    public void Value_OfTheWrongForm_IsJudgedOnce()
    {
        _configuration.Set("RateLimiting:Policies:PerOrganization:PermitLimit", "\"many\"");

        Assert.Equal("RateLimiting:Policies:PerOrganization:PermitLimit", _configuration.LoadBad().Key);
    }

    [Fact]
    public void AzureAd_HasOnlyKeysThatSomebodyReads()
    {
        Type[] readers = [typeof(MicrosoftIdentityOptions), typeof(JwtBearerOptions)];
        var read = readers.SelectMany(type => type.GetProperties()).Select(property => property.Name).Concat(["Organizations", "Tenants"]);

        Assert.Empty(OptionsSchema.OfRecord(typeof(AzureAdOptions)).Members.Keys.Except(read));
    }

    [Fact]
    public void FreeSections_HoldAnything()
    {
        _configuration
            .Set("$schema", "\"https://json.schemastore.org/appsettings.json\"")
            .Set("Logging", """{ "LogLevel": { "Default": "Debug", "A.B": "None" }, "Elsewhere": { "Some": [1, true] } }""")
            .Set("Kestrel", """{ "Limits": { "MaxConcurrentConnections": 100 } }""")
            .Set("ReverseProxy:Routes:organizations:Transforms", """[{ "PathRemovePrefix": "/x" }, { "RequestHeader": "a", "Set": "b" }]""")
            .Set("ReverseProxy:Clusters:organizations:Metadata", """{ "anything": "x" }""");
        _configuration.Variables["Logging__LogLevel__Default"] = "Trace";
        _configuration.Variables["Kestrel__Some__0"] = "a";

        var values = _configuration.LoadGood().Values;

        Assert.Equal("Trace", values["Logging:LogLevel:Default"]);
        Assert.Equal("true", values["Logging:Elsewhere:Some:1"]);
        Assert.Equal("/x", values["ReverseProxy:Routes:organizations:Transforms:0:PathRemovePrefix"]);
    }

    [Fact]
    public void Values_AreNumbersTruthsAndNames_HoweverTheyAreWritten()
    {
        _configuration
            .Set("Edge:FailedAuthentications:PermitLimit", "\"7\"")
            .Set("Authentication:Schemes:Platform:AcceptIdTokens", "\"TRUE\"")
            .Set("RateLimiting:Policies:PerOrganization:Algorithm", "\"slidingwindow\"")
            .Set("ReverseProxy:Routes:organizations:Metadata", """{ "ForwardCookies": true }""");

        var snapshot = _configuration.LoadGood();

        Assert.Equal(7, snapshot.Options.Edge.FailedAuthentications.PermitLimit);
        Assert.True(snapshot.Options.Authentication.Schemes["Platform"].AcceptIdTokens);
        Assert.Equal("SlidingWindow", snapshot.Values["RateLimiting:Policies:PerOrganization:Algorithm"]);
        Assert.Equal("true", snapshot.Values["ReverseProxy:Routes:organizations:Metadata:ForwardCookies"]);
    }
}
