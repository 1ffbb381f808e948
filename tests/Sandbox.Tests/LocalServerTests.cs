using Xunit;

namespace Sandbox.Tests;

public sealed class LocalServerTests
{
    [Fact]
    public async Task The_environment_of_the_process_does_not_reach_a_server()
    {
        Dictionary<string, string> hostile = new()
        {
            ["ASPNETCORE_URLS"] = "http://127.0.0.1:1",
            ["ASPNETCORE_PREFERHOSTINGURLS"] = "true",
            ["ASPNETCORE_FORWARDEDHEADERS_ENABLED"] = "true",
            ["ASPNETCORE_HOSTINGSTARTUPASSEMBLIES"] = "DoesNotExist",
            ["Kestrel__Endpoints__Http__Url"] = "http://127.0.0.1:1",
            ["DOTNET_ENVIRONMENT"] = "Development",
        };
        foreach (var (name, value) in hostile) Environment.SetEnvironmentVariable(name, value);
        try
        {
            await using var service = await OrganizationService.StartAsync();
            using var client = new HttpClient();
            using var answer = await client.GetAsync(new Uri($"{service.Url}/x"), TestContext.Current.CancellationToken);

            Assert.True(answer.IsSuccessStatusCode);
            Assert.NotEqual(1, new Uri(service.Url).Port);
        }
        finally
        {
            foreach (var name in hostile.Keys) Environment.SetEnvironmentVariable(name, null);
        }
    }

    [Fact]
    public async Task A_given_port_is_used_and_a_taken_one_throws()
    {
        int port;
        await using (var first = await OrganizationService.StartAsync()) port = new Uri(first.Url).Port;

        await using var second = await OrganizationService.StartAsync(port);

        Assert.Equal($"http://127.0.0.1:{port}", second.Url);
        await Assert.ThrowsAsync<IOException>(() => OrganizationService.StartAsync(port));
    }
}
