using System.Net.Http.Headers;
using System.Text.Json;
using IotClient;
using Testing;

namespace Deployment.Tests;

/// <summary>A form in which a client of <c>samples/</c> gives an AWS SDK its credentials, whenever the SDK asks.</summary>
internal sealed class Form : IAsyncDisposable
{
    private readonly Func<Task<string?>> _ask;
    private readonly IAsyncDisposable? _process;
    private readonly IReadOnlyList<IDisposable> _parts;

    private Form(Func<Task<string?>> ask, IAsyncDisposable? process = null, params IReadOnlyList<IDisposable> parts) =>
        (_ask, _process, _parts) = (ask, process, parts);

    public static async Task<Form> StartAsync(string form, Dictionary<string, string> environment)
    {
        if (form == "credential_process")
        {
            return new(async () =>
            {
                var result = await Tool.RunAsync("python3", [SampleClients.Sample("python", "credential_process.py")], environment);
                return result.ExitCode == 0 ? null : result.Error;
            });
        }

        if (form == "container provider")
        {
            var (address, secret) = ($"http://127.0.0.1:{FreePort.Find()}/credentials", $"{Guid.NewGuid():N}");
            IssuedSecrets.Add(secret);
            environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = address;
            environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = secret;
            var process = SampleProcess.Start("python3", [SampleClients.Sample("python", "container_provider.py")], environment);
            await process.PrintsAsync("serving");
            var client = new HttpClient();
            client.DefaultRequestHeaders.Authorization = AuthenticationHeaderValue.Parse(secret);
            return new(
                async () =>
                {
                    using var response = await client.GetAsync(new Uri(address));
                    using var body = JsonDocument.Parse(await response.Content.ReadAsStreamAsync());
                    return response.IsSuccessStatusCode ? null : body.RootElement.GetProperty("message").GetString();
                },
                process,
                client);
        }

        var source = new CredentialSource(new Uri(environment["GATEWAY_URL"]), environment["ORGANIZATION_ID"], environment["TOKEN_FILE"], TimeProvider.System);
        var credentials = new GatewayCredentials(source, TimeProvider.System);
        return new(
            async () =>
            {
                try
                {
                    await credentials.GetCredentialsAsync();
                    return null;
                }
                catch (StoppedException stopped)
                {
                    return stopped.Message;
                }
            },
            process: null,
            credentials,
            source);
    }

    /// <summary>Asks as an SDK does, and returns why there are no credentials; null if there are.</summary>
    public Task<string?> RefusalAsync() => _ask();

    public async ValueTask DisposeAsync()
    {
        if (_process is not null) await _process.DisposeAsync();
        foreach (var part in _parts) part.Dispose();
    }
}
