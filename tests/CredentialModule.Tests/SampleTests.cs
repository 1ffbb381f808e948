using System.Collections.Concurrent;
using System.Globalization;
using Sandbox;
using Testing;
using Xunit;

namespace IotCredentials.Tests;

/// <summary>README's host compiles, since it is the sample's program, and vends.</summary>
public sealed class SampleTests
{
    [Fact]
    public void G5_the_program_in_the_README_is_the_samples()
    {
        var program = File.ReadAllText(Path.Combine(Repository.Root, "samples", "YarpHost", "Program.cs"));

        Assert.Contains($"```csharp\n{program}```", File.ReadAllText(Path.Combine(Repository.Root, "README.md")), StringComparison.Ordinal);
    }

    [Fact]
    public void G5_the_extensions_are_where_the_types_that_they_extend_are_looked_for()
    {
        Assert.Equal(
            "Microsoft.Extensions.DependencyInjection",
            typeof(Microsoft.Extensions.DependencyInjection.IotCredentialsReverseProxyBuilderExtensions).Namespace);
        Assert.Equal("Microsoft.AspNetCore.Builder", typeof(Microsoft.AspNetCore.Builder.IotCredentialsEndpointConventionBuilderExtensions).Namespace);
    }

    // G6 too: JwtBearer renames the claims here, as it does by default.
    [Fact]
    public async Task G5_G6_the_samples_host_vends_to_members_with_the_sandboxes_issuer_and_AWS()
    {
        await using var issuer = await OpenIdProvider.StartAsync();
        await using var aws = await AwsEmulator.StartAsync();
        var port = FreePort.Find().ToString(CultureInfo.InvariantCulture);
        var url = $"http://127.0.0.1:{port}";
        var lines = new ConcurrentQueue<string>();
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var host = ChildProcess.Start(
            "dotnet",
            [
                "exec", "--runtimeconfig", Path.Combine(AppContext.BaseDirectory, "YarpHost.runtimeconfig.json"),
                Path.Combine(AppContext.BaseDirectory, "YarpHost.dll"),
                "--contentRoot", Path.Combine(Repository.Root, "samples", "YarpHost"), "--urls", url,
                "--Authentication:Schemes:Bearer:Authority", issuer.Issuer, "--Authentication:Schemes:Bearer:RequireHttpsMetadata", "false",
                "--IotCredentials:Timeout", "00:00:20",
            ],
            aws.EnvironmentVariables,
            line =>
            {
                lines.Enqueue(line);
                if (line.Contains("Application started", StringComparison.Ordinal)) started.TrySetResult();
            });
        try
        {
            await Task.WhenAny(started.Task, host.WaitForExitAsync(TestContext.Current.CancellationToken));
            Assert.True(started.Task.IsCompleted, string.Join('\n', lines));
            using var client = new HttpClient();
            var token = issuer.Issue(new TokenRequest { Organizations = (string[])["o-acme"] });

            var vended = await client.SendAsync(url + Requests.CredentialsPath("o-acme"), token);
            var other = await client.SendAsync(url + Requests.CredentialsPath("o-other"), token);
            var without = await client.SendAsync(url + Requests.CredentialsPath("o-acme"));

            Assert.True(vended.Status == 200, $"{vended.Body}\n{string.Join('\n', lines)}");
            Assert.StartsWith("ASIA", vended.AccessKeyId, StringComparison.Ordinal);
            Assert.Equal((403, 401), (other.Status, without.Status));
        }
        finally
        {
            host.Kill();
            await host.WaitForExitAsync(CancellationToken.None);
        }

        Assert.Contains(lines, line => line.Contains($"issuer {issuer.Issuer} subject alice organization o-acme", StringComparison.Ordinal));
    }
}
