using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>An organization's entry wins over the profile, key by key: with a value, and with null.</summary>
public sealed class OrganizationOverrideTests : IDisposable
{
    private readonly ConfigurationFixture _configuration = new();

    [Theory]
    [InlineData("{ }", "abc-ats.iot.ap-northeast-1.amazonaws.com", "profile-id")]
    [InlineData("""{ "IotEndpoint": "xyz-ats.iot.ap-northeast-1.amazonaws.com" }""", "xyz-ats.iot.ap-northeast-1.amazonaws.com", "profile-id")]
    [InlineData("""{ "IotEndpoint": null }""", null, "profile-id")]
    [InlineData("""{ "ExternalId": null, "SessionDuration": null }""", "abc-ats.iot.ap-northeast-1.amazonaws.com", null)]
    public void Null_takes_the_profiles_value_away_and_a_missing_key_keeps_it(string organization, string? endpoint, string? externalId)
    {
        _configuration.Set("IotCredentials:Profiles:default:IotEndpoint", "\"abc-ats.iot.ap-northeast-1.amazonaws.com\"");
        _configuration.Set("IotCredentials:Profiles:default:Region", "\"ap-northeast-1\"");
        _configuration.Set("IotCredentials:Profiles:default:ExternalId", "\"profile-id\"");
        _configuration.Set("IotCredentials:Organizations", $$"""{ "o-acme": {{organization}} }""");

        var loaded = _configuration.Load();

        Assert.True(loaded.Snapshot is not null, string.Join('\n', loaded.Findings));
        Assert.True(loaded.Snapshot.Profiles!.OrganizationIds.TryParse("o-acme", out var id));
        var profile = loaded.Snapshot.Profiles.Find("default", id)!.Located!;
        Assert.Equal((endpoint, externalId, TimeSpan.FromHours(1)), (profile.IotEndpoint, profile.ExternalId?.Source, profile.SessionDuration));
    }

    [Fact]
    public void Null_in_the_place_of_a_required_value_is_an_error()
    {
        _configuration.Set("IotCredentials:Organizations", """{ "o-acme": { "RoleArn": null } }""");

        Assert.Contains(_configuration.Load().Findings, finding => finding is { Severity: Severity.Error, Key: "IotCredentials:Organizations:o-acme:RoleArn" });
    }

    public void Dispose() => _configuration.Dispose();
}
