using System.Text;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.AwsIdentity;

/// <summary>
/// The messages while a part of the exchange of an Azure identity fails. The gateway tries by itself every few seconds, so this takes longer than
/// <see cref="AzureIdentityTests"/>, beside which it runs.
/// </summary>
public sealed class AzureFailureTests
{
    private const string NoCredentials = "The gateway has no credentials that AWS accepts: ";

    // The gateway waits longer after each failure in a row, so several gateways are quicker than one.
    [Fact]
    public Task Each_failure_of_the_exchange_is_one_line_that_says_which_half_failed() => Task.WhenAll(
        FailAsync(..3), FailAsync(3..6), FailAsync(6..9), FailAsync(9..12), FailAsync(12..));

    private static async Task FailAsync(Range range)
    {
        const string Metadata = "the Azure managed identity (instance metadata)";
        const string NoToken = $"{Metadata} gives no token of {AzureEmulator.Audience}: ";
        const string Sts = $"sts:AssumeRoleWithWebIdentity with the token of {Metadata}: ";
        await using var world = await World.StartAsync();
        await using var azure = await AzureProcess.CreateAsync(
            world, AzureForm.InstanceMetadata, settings => settings.Set("IotCredentials:Timeout", "\"00:00:10\""));
        var emulator = azure.Azure;
        (string Name, Action Break, string Told)[] failures =
        [
            ("an identity that is not assigned", () => Respond(400, """{"error":"invalid_request","error_description":"Identity not found"}"""),
                NoToken + "400: the identity is not assigned here, or Entra has no application of that audience"),
            ("an endpoint that fails", () => Respond(500, "secret"), NoToken + "500"),
            ("an endpoint that throttles", () => Respond(429, "secret"), NoToken + "429"),
            ("a login page", () => Respond(200, "<html>secret</html>"), NoToken + "200, and the response is not one of the endpoint's"),
            ("no token", () => Respond(200, "{}"), NoToken + "200, and the response is not one of the endpoint's"),
            ("a dropped connection", () => emulator.Instead = (context, _) =>
            {
                context.Abort();
                return Task.FromResult(true);
            }, NoToken + "the connection was closed before a response (127.0.0.1:"),
            ("an endpoint that hangs", () => emulator.Instead = async (_, stopping) =>
            {
                await Task.Delay(Timeout.Infinite, stopping);
                return true;
            }, $"no response from {Metadata} in 7 s"),
            ("a token of another audience", () => emulator.ChangeToken = token => token with { Audiences = ["api://other"] },
                Sts + "400 InvalidIdentityToken: the role's account needs an OpenID provider of the token's issuer and audience; "
                + $"it has iss \"{emulator.Issuer}\", aud \"api://other\", sub \"{AzureEmulator.ObjectId}\""),
            ("a token of another identity", () => emulator.ChangeToken = token => token with { Subject = "other" },
                Sts + "403 AccessDenied: the role's trust policy does not let the token in: compare its conditions on aud and sub; "
                + $"it has iss \"{emulator.Issuer}\", aud \"{AzureEmulator.Audience}\", sub \"other\""),
            ("an opaque token", () => emulator.ChangeToken = token => token with { RawPayload = "no JSON" }, Sts + "400 InvalidIdentityToken"),
            ("an expired token", () => emulator.ChangeToken = token => token with { Expires = TimeSpan.FromMinutes(-1) },
                Sts + "400 ExpiredTokenException: the token has expired: look at the clock of this machine"),
            ("an issuer that AWS cannot reach", () => world.Aws.Inject(AwsFault.Error("IDPCommunicationError"), "AssumeRoleWithWebIdentity"),
                Sts + "400 IDPCommunicationError: AWS cannot reach the token's issuer now"),
            ("STS fails", () => world.Aws.Inject(AwsFault.HttpStatus(503), "AssumeRoleWithWebIdentity"), Sts + "503, and the response is not one of AWS's"),
            ("STS sends a page", () => world.Aws.Inject(AwsFault.Garbage(), "AssumeRoleWithWebIdentity"), Sts + "the response is not one of AWS's"),
        ];
        failures = failures[range];
        failures[0].Break();
        await using var gateway = await azure.StartAsync();

        foreach (var (name, fail, told) in failures)
        {
            emulator.Instead = null;
            emulator.ChangeToken = null;
            world.Aws.ClearFaults();
            fail();
            // Without a session the gateway tries by itself, every two seconds; the first caller makes it try.
            Assert.Equal(503, (await azure.VendAsync(gateway, "o-acme")).Status);
            await Eventually.IsTrueAsync(
                () => gateway.Output.Contains($"{NoCredentials}{told}", StringComparison.Ordinal), () => $"{name}: {told}\n{gateway.Output}");
        }

        var errors = gateway.Output.Split('\n').Where(line => line.Contains(NoCredentials, StringComparison.Ordinal)).ToList();
        Assert.Equal(errors.Count, errors.Distinct(StringComparer.Ordinal).Count());
        // A failure can be over before the gateway tries again; and of a request that hangs, its callers' timeout is told and its own end.
        Assert.InRange(errors.Count, failures.Length - 2, failures.Length + 1);
        Assert.DoesNotContain("secret", gateway.Output, StringComparison.Ordinal);

        world.Aws.ClearFaults();
        emulator.Instead = null;
        emulator.ChangeToken = null;
        await Eventually.IsTrueAsync(async () => (await azure.VendAsync(gateway, "o-acme")).Status == 200, () => gateway.Output);
        Assert.Contains("AWS accepts the gateway's credentials again", gateway.Output, StringComparison.Ordinal);

        void Respond(int status, string body) => emulator.Instead = async (context, stopping) =>
        {
            context.Response.StatusCode = status;
            await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(body), stopping);
            return true;
        };
    }

    [Fact]
    public async Task A_workload_identity_that_fails_is_told_by_Entras_code_or_its_file()
    {
        const string NoToken = $"the Azure workload identity (AZURE_FEDERATED_TOKEN_FILE) gives no token of {AzureEmulator.Audience}: ";
        await using var world = await World.StartAsync();
        await using var azure = await AzureProcess.CreateAsync(world, AzureForm.WorkloadIdentity);
        azure.RemoveServiceAccountToken();
        await using var gateway = await azure.StartAsync();

        Assert.Equal(503, (await azure.VendAsync(gateway, "o-acme")).Status);
        await ToldAsync("AZURE_FEDERATED_TOKEN_FILE names a file that cannot be read (FileNotFoundException)");
        await using (var foreign = await OpenIdProvider.StartAsync())
        {
            File.WriteAllText(azure.Environment["AZURE_FEDERATED_TOKEN_FILE"], AzureEmulator.ServiceAccountToken(foreign));
            await ToldAsync("AADSTS700213: no federated credential of the identity matches the service account's token: compare issuer, subject and audience");
        }

        azure.IssueServiceAccountToken();
        await Eventually.IsTrueAsync(async () => (await azure.VendAsync(gateway, "o-acme")).Status == 200, () => gateway.Output);

        Task ToldAsync(string cause) => Eventually.IsTrueAsync(
            () => gateway.Output.Contains(NoCredentials + NoToken + cause, StringComparison.Ordinal), () => $"{cause}\n{gateway.Output}");
    }
}
