using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.AwsIdentity;

/// <summary>A gateway process whose AWS identity is one of Azure's.</summary>
public sealed class AzureIdentityTests
{
    private const string Identity = "arn:aws:sts::111122223333:assumed-role/iot-gateway";
    private const string NoCredentials = "The gateway has no credentials that AWS accepts: ";

    [Theory]
    [InlineData(AzureForm.InstanceMetadata, "by the Azure managed identity (instance metadata)")]
    [InlineData(AzureForm.IdentityEndpoint, "by the Azure managed identity (IDENTITY_ENDPOINT)")]
    [InlineData(AzureForm.WorkloadIdentity, "by the Azure workload identity (AZURE_FEDERATED_TOKEN_FILE)")]
    public async Task Each_Azure_identity_vends_without_an_AWS_key(AzureForm form, string source)
    {
        await using var world = await World.StartAsync();
        await using var azure = await AzureProcess.CreateAsync(world, form);
        await using var gateway = await azure.StartAsync();

        var response = await azure.VendAsync(gateway, "o-acme");
        Assert.True(response.Status == 200, $"{response.Body}\n{gateway.Output}");
        Assert.Equal(200, (await azure.VendAsync(gateway, "o-other")).Status);
        var (_, doctor) = await GatewayProcess.RunAsync(["doctor", "--config", azure.Folder.Path, "--timeout", "100"], azure.Environment);
        var (_, explain) = await GatewayProcess.RunAsync(["explain", "--config", azure.Folder.Path, "--organization", "o-acme"], azure.Environment);

        var opened = Assert.Single(world.Aws.Calls.Snapshot().Where(call => call.Action == "AssumeRoleWithWebIdentity").Take(1));
        Assert.Equal(AzureEmulator.RoleArn, opened.AssumeRole!.RoleArn);
        Assert.All(
            world.Aws.Calls.Snapshot().Where(call => call.Action == "AssumeRole").Take(2), call => Assert.Equal(opened.Issued!.AccessKeyId, call.AccessKeyId));
        Assert.Contains($"account 111122223333, {Identity}/iot-gateway-", doctor, StringComparison.Ordinal);
        Assert.Contains(source, doctor, StringComparison.Ordinal);
        Assert.Matches($"identity +{Identity}\n", explain);
        Assert.DoesNotContain("NOT THE REAL ONE", explain, StringComparison.Ordinal);
    }

    public static IEnumerable<TheoryDataRow<AzureForm, string, string, string>> Malformed => Sample.Of<TheoryDataRow<AzureForm, string, string, string>>(2,
    [
        new(AzureForm.WorkloadIdentity, "AZURE_TENANT_ID", $"{AzureEmulator.TenantId}\n", "a tenant's id"),
        new(AzureForm.WorkloadIdentity, "AZURE_TENANT_ID", "secret tenant", "a tenant's id"),
        new(AzureForm.WorkloadIdentity, "AZURE_CLIENT_ID", $"{AzureEmulator.ClientId}\n", "a client id, which is a GUID"),
        new(AzureForm.WorkloadIdentity, "AZURE_AUTHORITY_HOST", "secret.example.com", "an address that begins with https://"),
        new(AzureForm.WorkloadIdentity, "AZURE_AUTHORITY_HOST", "http://secret.example.com", "an address that begins with https://"),
        new(AzureForm.InstanceMetadata, "AZURE_POD_IDENTITY_AUTHORITY_HOST", "secret", "an address that begins with http:// or https://"),
        new(AzureForm.InstanceMetadata, "AZURE_CLIENT_ID", "secret", "a client id, which is a GUID"),
        new(AzureForm.IdentityEndpoint, "IDENTITY_ENDPOINT", "secret:1/msi/token", "an address that begins with http:// or https://"),
    ]);

    [Theory]
    [MemberData(nameof(Malformed))]
    public async Task A_malformed_variable_is_told_by_its_name_and_callers_get_503(AzureForm form, string variable, string value, string expected)
    {
        await using var world = await World.StartAsync();
        await using var azure = await AzureProcess.CreateAsync(world, form);
        azure.Environment[variable] = value;
        var (exitCode, doctor) = await GatewayProcess.RunAsync(["doctor", "--config", azure.Folder.Path, "--timeout", "100"], azure.Environment);
        await using var gateway = await azure.StartAsync();

        Assert.Equal(503, (await azure.VendAsync(gateway, "o-acme")).Status);

        var told = $"gives no token of {AzureEmulator.Audience}: {variable} is malformed: it is not {expected}";
        await Eventually.IsTrueAsync(() => gateway.Output.Contains(told, StringComparison.Ordinal), () => gateway.Output);
        Assert.Single(gateway.Output.Split('\n'), line => line.Contains(NoCredentials, StringComparison.Ordinal));
        Assert.Equal((1, true), (exitCode, doctor.Contains(told, StringComparison.Ordinal)));
        Assert.DoesNotContain("secret", doctor + gateway.Output, StringComparison.Ordinal);
    }

    public static IEnumerable<TheoryDataRow<int, string, string>> Audiences => Sample.Of<TheoryDataRow<int, string, string>>(2,
    [
        new(1, AzureEmulator.Audience, ""),
        new(1, AzureEmulator.ApplicationId, $"aud \"{AzureEmulator.Audience}\", sub \"{AzureEmulator.ObjectId}\""),
        new(1, AzureEmulator.ClientId, $"aud \"{AzureEmulator.Audience}\", sub \"{AzureEmulator.ObjectId}\""),
        new(2, AzureEmulator.ClientId, ""),
        new(2, AzureEmulator.ApplicationId, $"azp \"{AzureEmulator.ClientId}\", which AWS compares in place of aud"),
        new(2, AzureEmulator.Audience, $"azp \"{AzureEmulator.ClientId}\", which AWS compares in place of aud"),
    ]);

    [Theory]
    [MemberData(nameof(Audiences))]
    public async Task AWS_compares_the_application_in_version_1_and_the_identity_in_version_2(int version, string audienceOfProvider, string refusal)
    {
        await using var world = await World.StartAsync();
        await using var azure = await AzureProcess.CreateAsync(world, AzureForm.WorkloadIdentity);
        azure.Azure.TokenVersion = version;
        world.Aws.AddIdentityProvider("111122223333", azure.Azure.Issuer, audienceOfProvider);

        var (_, output) = await GatewayProcess.RunAsync(["doctor", "--config", azure.Folder.Path, "--timeout", "100"], azure.Environment);

        Assert.True(output.Contains(refusal.Length == 0 ? $"account 111122223333, {Identity}/iot-gateway-" : refusal, StringComparison.Ordinal), output);
        Assert.Equal(refusal.Length > 0, output.Contains("400 InvalidIdentityToken", StringComparison.Ordinal));
    }

    public static IEnumerable<TheoryDataRow<AzureForm, string, string, string, string>> HalvesThatFail =>
        Sample.Of<TheoryDataRow<AzureForm, string, string, string, string>>(2,
    [
        new(AzureForm.InstanceMetadata, "", "AwsIdentity:ClientId", "\"77777777-7777-8888-9999-000000000000\"", "400: the identity is not assigned here"),
        new(AzureForm.IdentityEndpoint, "", "AwsIdentity:Audience", "\"api://other\"", "AADSTS500011: the tenant has no application of that audience"),
        new(AzureForm.WorkloadIdentity, "", "AwsIdentity:Audience", "\"api://other\"", "AADSTS500011: the tenant has no application of that audience"),
        new(AzureForm.WorkloadIdentity, "", "AwsIdentity:ClientId", "\"77777777-7777-8888-9999-000000000000\"",
            "AADSTS700016: the tenant has no identity of that client id"),
        new(AzureForm.WorkloadIdentity, "AZURE_TENANT_ID", "Timeout", "\"00:00:20\"", "its variables are not complete"),
        new(AzureForm.InstanceMetadata, "", "AwsIdentity:RoleArn", "\"arn:aws:iam::111122223333:role/other\"", "403 AccessDenied: the role's trust policy"),
    ]);

    [Theory]
    [MemberData(nameof(HalvesThatFail))]
    public async Task Doctor_says_which_half_of_the_exchange_fails(AzureForm form, string without, string key, string value, string told)
    {
        await using var world = await World.StartAsync();
        await using var azure = await AzureProcess.CreateAsync(world, form, settings => settings.Set($"IotCredentials:{key}", value));
        azure.Environment.Remove(without);

        var (exitCode, output) = await GatewayProcess.RunAsync(["doctor", "--config", azure.Folder.Path, "--timeout", "100"], azure.Environment);

        Assert.Equal(1, exitCode);
        Assert.True(output.Contains(told, StringComparison.Ordinal), output);
    }
}
