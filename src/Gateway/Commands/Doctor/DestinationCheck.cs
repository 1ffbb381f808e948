using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Gateway.Configuration;
using Gateway.Configuration.Snapshots;
using Gateway.Forwarding;
using Gateway.Routes;
using IotCredentials.Failures;
using IotCredentials.Operations;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Commands.Doctor;

/// <summary>
/// Checks each destination's port, its certificate if it uses TLS, and its response, because a service can accept connections and still hang. The
/// request uses the path of the active health check, or <c>/</c> without one. A used cluster needs one working destination. A cluster that no route
/// uses needs none.
/// </summary>
internal sealed class DestinationCheck(GatewayOptions options, IForwarderHttpClientFactory clients, TimeSpan timeout)
{
    public static async Task<DoctorResult[]> RunAsync(Snapshot configuration, IServiceProvider services, TimeSpan timeout)
    {
        var examination = new DestinationCheck(configuration.Options, services.GetRequiredService<IForwarderHttpClientFactory>(), timeout);
        var used = configuration.Routes.Select(route => route.ClusterId).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var all = await Task.WhenAll(configuration.Clusters.Select(cluster => examination.RunAsync(cluster, used.Contains(cluster.ClusterId))));
        return [.. all.SelectMany(rows => rows)];
    }

    private async Task<DoctorResult[]> RunAsync(ClusterConfig cluster, bool isUsed)
    {
        using var client = clients.CreateClient(new ForwarderHttpClientContext
        {
            ClusterId = cluster.ClusterId,
            NewConfig = cluster.HttpClient ?? HttpClientConfig.Empty,
            NewMetadata = cluster.Metadata,
        });
        var rows = await Task.WhenAll((cluster.Destinations ?? new Dictionary<string, DestinationConfig>())
            // If the host is a name in the section Services, each address there is checked instead.
            .SelectMany(destination => NamedServices.Resolve(options, destination.Key, destination.Value).Select(resolved => DoctorResult.OfAsync(
                $"destination {cluster.ClusterId}/{destination.Key}",
                timeout,
                (progress, cancellation) => CheckAsync(cluster, resolved.Config, client, progress, cancellation)))));
        if (isUsed && Array.TrueForAll(rows, row => row.Outcome == Outcome.Failed)) return rows;
        return [.. rows.Select(row => row.Outcome != Outcome.Failed
            ? row
            : row with { Outcome = Outcome.Warning, Found = isUsed ? row.Found : $"{row.Found} (no route uses the cluster)" })];
    }

    private static async Task<(Outcome, string)> CheckAsync(
        ClusterConfig cluster, DestinationConfig destination, HttpMessageInvoker client, DiagnosticProgress progress, CancellationToken cancellation)
    {
        var address = new Uri(destination.Address);
        // Behind a proxy, the proxy connects to the destination, so no direct connection is tried.
        var proxy = ServiceProxy.Of(cluster, address);
        var (connected, problem) = proxy is null
            ? await ConnectAsync(cluster, destination, progress, cancellation)
            : ($"{address.IdnHost}:{address.Port}", null);
        return problem is not null ? (Outcome.Failed, problem) : await AskAsync(cluster, destination, client, connected, progress, cancellation);
    }

    private static async Task<(string Connected, string? Problem)> ConnectAsync(
        ClusterConfig cluster, DestinationConfig destination, DiagnosticProgress progress, CancellationToken cancellation)
    {
        var address = new Uri(destination.Address);
        var at = $"{address.IdnHost}:{address.Port}";
        progress.WaitsFor = $"{at} cannot be reached";
        var begun = Stopwatch.GetTimestamp();
        using var connection = new TcpClient();
        try
        {
            await connection.ConnectAsync(address.IdnHost, address.Port, cancellation);
        }
        catch (SocketException e)
        {
            return ("", $"{at}: {e.Message}");
        }

        var security = "";
        if (address.Scheme == Uri.UriSchemeHttps)
        {
            progress.WaitsFor = $"{at} accepts connections, but the TLS handshake does not complete";
            var (secured, problem) = await SecureAsync(connection, cluster, destination, cancellation);
            if (problem is not null) return ("", $"{at}: {problem}");
            security = secured;
        }

        return (string.Create(CultureInfo.InvariantCulture, $"{at}, connected in {Stopwatch.GetElapsedTime(begun).TotalMilliseconds:0} ms{security}"), null);
    }

    private static async Task<(string Secured, string? Problem)> SecureAsync(
        TcpClient connection, ClusterConfig cluster, DestinationConfig destination, CancellationToken cancellation)
    {
        var host = destination.Host is { } named ? new HostString(named).Host : new Uri(destination.Address).IdnHost;
        string? problem = null;
        await using var tls = new SslStream(connection.GetStream());
        try
        {
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = host,
                    RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
                    {
                        if (errors == SslPolicyErrors.None || cluster.HttpClient?.DangerousAcceptAnyServerCertificate == true) return true;
                        problem = FailureText.OfCertificate(errors, certificate as X509Certificate2, chain, host);
                        return false;
                    },
                },
                cancellation);
            return ($", {tls.SslProtocol}, certificate until {((X509Certificate2)tls.RemoteCertificate!).NotAfter.ToUniversalTime():yyyy-MM-dd}", null);
        }
        catch (Exception e) when (e is AuthenticationException or IOException)
        {
            return ("", problem ?? "the TLS handshake failed: the port may speak no TLS");
        }
    }

    // Sends the same request as the active health check, by which the gateway judges the destination.
    private static async Task<(Outcome, string)> AskAsync(
        ClusterConfig cluster,
        DestinationConfig destination,
        HttpMessageInvoker client,
        string connected,
        DiagnosticProgress progress,
        CancellationToken cancellation)
    {
        var check = cluster.HealthCheck?.Active is { Enabled: true } active ? active : null;
        var probed = string.IsNullOrEmpty(destination.Health) ? destination.Address : destination.Health;
        var url = new Uri($"{probed.TrimEnd('/')}/{check?.Path?.TrimStart('/')}{check?.Query}");
        var proxy = ServiceProxy.Of(cluster, url);
        var (asked, through) = ($"GET {url.AbsolutePath}", FailureText.Through(proxy));
        progress.WaitsFor = $"{connected}{through}, but {asked} gets no response: the {(proxy is null ? "service hangs" : "proxy or the service hangs")}";
        using var request = new HttpRequestMessage(HttpMethod.Get, url)
        {
            Version = cluster.HttpRequest?.Version ?? HttpVersion.Version20,
            VersionPolicy = cluster.HttpRequest?.VersionPolicy ?? HttpVersionPolicy.RequestVersionOrLower,
        };
        if (destination.Host is { } host) request.Headers.Host = host;
        try
        {
            using var response = await client.SendAsync(request, cancellation);
            var responded = $"{connected}{through}, {asked} {(int)response.StatusCode}";
            return check is null || response.IsSuccessStatusCode
                ? (Outcome.Ok, responded)
                : (Outcome.Failed, $"{responded}: the active health check accepts only 2xx");
        }
        catch (HttpRequestException e)
        {
            return (Outcome.Failed, $"{connected}, {asked}: {FailureText.Of(e, url, proxy)}");
        }
    }
}
