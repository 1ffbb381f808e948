using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Testing;
using Xunit;

namespace Gateway.Tests.Commands.Doctor;

/// <summary><c>doctor</c> and <c>explain</c> with a directory that says where organizations live.</summary>
public sealed class DoctorDirectoryTests : IAsyncLifetime
{
    private World _world = null!;
    private Action<JsonObject> _configure = static _ => { };

    public async ValueTask InitializeAsync() => _world = await World.StartAsync();

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Theory]
    [InlineData(null, "ok       it responds (404 for an organization that should not exist)")]
    [InlineData("o-initech", "ok       o-initech lives in the account 444455556666, eu-west-1")]
    [InlineData("o-nobody", "failed   it does not know o-nobody (404)")]
    public async Task The_directory_is_asked_with_its_own_client(string? organization, string found)
    {
        Assert.Contains(found, (await DoctorAsync(organization)).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(400, "", "ok       it responds (400 for an organization that should not exist)")]
    [InlineData(410, "", "ok       it responds (410 for an organization that should not exist)")]
    [InlineData(422, "application/json", "ok       it responds (422 for an organization that should not exist)")]
    [InlineData(404, "text/plain", "ok       it responds (404 for an organization that should not exist)")]
    [InlineData(200, "application/json", "ok       it responds (200 for an organization that should not exist)")]
    [InlineData(404, "text/html; charset=utf-8", "failed   its status is 404, with a page")]
    [InlineData(302, "", "failed   its status is 302")]
    [InlineData(500, "", "failed   its status is 500")]
    public async Task Without_an_organization_the_directory_is_judged_as_the_gateway_judges_an_outage(int status, string type, string found)
    {
        _world.Downstream.Directory.Response = (context, cancellation) =>
        {
            context.Response.StatusCode = status;
            context.Response.ContentType = type;
            var id = context.Request.Path.Value!.Split('/')[^1];
            return context.Response.WriteAsync($$"""{"id":"{{id}}","awsAccountId":"111122223333","awsRegion":"eu-west-1"}""", cancellation);
        };

        var doctor = await DoctorAsync(organization: null);

        Assert.Contains(found, doctor.Output, StringComparison.Ordinal);
        Assert.Equal(found.StartsWith("ok", StringComparison.Ordinal) ? 0 : 1, doctor.ExitCode);
    }

    [Fact]
    public async Task A_directory_that_fails_is_a_failure_with_its_cause()
    {
        _world.Downstream.Directory.Response = static (context, _) =>
        {
            context.Response.StatusCode = 401;
            return Task.CompletedTask;
        };

        var doctor = await DoctorAsync("o-acme");

        Assert.Equal(1, doctor.ExitCode);
        Assert.Contains("failed   its status is 401", doctor.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_response_that_the_profile_cannot_use_is_a_failure_with_its_cause()
    {
        _configure = profile => profile["RoleArn"] = "arn:aws:iam::111122223333:role/iot-organization";

        var doctor = await DoctorAsync("o-globex");

        Assert.Equal(1, doctor.ExitCode);
        Assert.Matches(
            "AWS for default +failed   the directory's response names the account 444455556666, and RoleArn is of 111122223333", doctor.Output);
    }

    [Fact]
    public async Task Without_an_organization_doctor_says_that_AWS_is_not_checked()
    {
        var doctor = await DoctorAsync(organization: null);

        Assert.True(doctor.ExitCode == 0, doctor.Output + doctor.Error);
        Assert.Matches("AWS for default +warning  not checked: name an organization with --organization", doctor.Output);
        Assert.DoesNotContain("STS", doctor.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("AWS for", (await DoctorAsync("o-acme")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_says_what_the_directory_decides_and_does_not_ask_it()
    {
        using var folder = Folder();

        var explained = await CommandResult.RunAsync(
            ["explain", "--organization", "o-initech", "--format", "json", "--config", folder.Path], _world.Aws.EnvironmentVariables);

        var request = explained.Json.GetProperty("assumeRole");
        Assert.Equal("arn:{partition}:iam::{accountId}:role/iot-organization", request.GetProperty("role").GetString());
        Assert.Equal("{region}", request.GetProperty("region").GetString());
        Assert.Equal(
            ["{accountId}", "{region}", "{partition}"], request.GetProperty("decidedByDirectory").EnumerateArray().Select(each => each.GetString()!));
        Assert.False(request.TryGetProperty("redisKey", out _));
        Assert.Contains("IotCredentials:Directory decides", explained.Output, StringComparison.Ordinal);
        Assert.Empty(_world.Downstream.Directory.Calls.Snapshot());
    }

    private async Task<CommandResult> DoctorAsync(string? organization)
    {
        using var folder = Folder();
        string[] arguments = ["doctor", "--config", folder.Path, "--timeout", "100"];
        if (organization is not null) arguments = [.. arguments, "--organization", organization];
        return await CommandResult.RunAsync(arguments, world: _world);
    }

    private GatewayFolder Folder() => _world.Folder(settings =>
    {
        settings.WithoutRedis().Set("IotCredentials:Directory", $$"""
            { "Address": "{{_world.Downstream.Url}}/organizations/{organizationId}", "AllowedAccounts": ["111122223333", "444455556666"] }
            """);
        var profile = settings["IotCredentials"]!["Profiles"]!["default"]!.AsObject();
        profile["RoleArn"] = "arn:{partition}:iam::{accountId}:role/iot-organization";
        profile.Remove("Region");
        _configure(profile);
    });
}
