using System.Diagnostics;
using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Gateway.Configuration;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Commands;

/// <summary>Each destination's port, and its certificate where it has one. A cluster needs one destination to serve.</summary>
internal static class DestinationExamination
{
    public static async Task<Diagnosis[]> RunAsync(Snapshot configuration) =>
        [.. (await Task.WhenAll(configuration.Clusters.Select(cluster => RunAsync(cluster, configuration.Options)))).SelectMany(rows => rows)];

    private static async Task<Diagnosis[]> RunAsync(ClusterConfig cluster, GatewayOptions options)
    {
        var rows = await Task.WhenAll((cluster.Destinations ?? new Dictionary<string, DestinationConfig>())
            .SelectMany(destination => Found(destination.Value, options).Select(found => Diagnosis.OfAsync(
                $"destination {cluster.ClusterId}/{destination.Key}", cancellation => LookAsync(cluster, found, cancellation)))));
        return Array.TrueForAll(rows, row => row.Outcome == Outcome.Failed)
            ? rows
            : [.. rows.Select(row => row.Outcome == Outcome.Failed ? row with { Outcome = Outcome.Warning } : row)];
    }

    // A name of the section Services stands for each address there.
    private static IEnumerable<DestinationConfig> Found(DestinationConfig destination, GatewayOptions options)
    {
        var address = new Uri(destination.Address);
        return options.ServiceOf(address.Host) is { } service
            ? (address.Scheme == Uri.UriSchemeHttps ? service.Https : service.Http).Select(at => destination with { Address = $"{address.Scheme}://{at}" })
            : [destination];
    }

    private static async Task<(Outcome, string)> LookAsync(ClusterConfig cluster, DestinationConfig destination, CancellationToken cancellation)
    {
        var address = new Uri(destination.Address);
        var begun = Stopwatch.GetTimestamp();
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(address.IdnHost, address.Port, cancellation);
        }
        catch (SocketException e)
        {
            return (Outcome.Failed, $"{address.IdnHost}:{address.Port}: {e.Message}");
        }

        var security = "";
        var acceptsAny = cluster.HttpClient?.DangerousAcceptAnyServerCertificate == true;
        if (address.Scheme == Uri.UriSchemeHttps)
        {
            await using var tls = new SslStream(client.GetStream());
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = destination.Host is { } host ? new HostString(host).Host : address.IdnHost,
                    RemoteCertificateValidationCallback = (_, _, _, errors) => errors == SslPolicyErrors.None || acceptsAny,
                },
                cancellation);
            security = $", {tls.SslProtocol}, certificate until {((X509Certificate2)tls.RemoteCertificate!).NotAfter.ToUniversalTime():yyyy-MM-dd}";
        }

        return (Outcome.Ok, string.Create(
            CultureInfo.InvariantCulture, $"{address.IdnHost}:{address.Port}, connected in {Stopwatch.GetElapsedTime(begun).TotalMilliseconds:0} ms{security}"));
    }
}
