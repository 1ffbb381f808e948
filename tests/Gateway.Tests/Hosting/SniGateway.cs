using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Testing;

namespace Gateway.Tests.Hosting;

/// <summary>A gateway whose server names differ in what they demand of a connection.</summary>
internal static class SniGateway
{
    private const string Names = """
        {
          "a.example": { "ClientCertificateMode": "RequireCertificate" },
          "*.strict.example": { "ClientCertificateMode": "RequireCertificate" },
          "open.strict.example": { },
          "bücher.example": { "ClientCertificateMode": "RequireCertificate" },
          "tls13.example": { "SslProtocols": ["Tls13"] },
          "b.example": { "ClientCertificateMode": "NoCertificate" }
        }
        """;

    public static async Task<RunningGateway> StartAsync(World world, bool hasAny = true)
    {
        using var certificates = new IssuedCertificates();
        certificates.Write("tls", certificates.Issue());
        var files = $$"""{ "Path": "{{certificates.PathOf("tls/tls.crt")}}", "KeyPath": "{{certificates.PathOf("tls/tls.key")}}" }""";
        var names = JsonNode.Parse(Names)!.AsObject();
        if (hasAny) names["*"] = new JsonObject();
        return await world.StartGatewayAsync(settings =>
        {
            settings.WithoutRedis().Remove("Urls");
            settings.Set("Kestrel:Certificates:Default", files)
                .Set("Kestrel:Endpoints:Https:Url", "\"https://127.0.0.1:0\"")
                .Set("Kestrel:Endpoints:Https:Sni", names.ToJsonString());
        });
    }

    /// <summary>Sends a request for a host over a connection whose handshake has a name; with an address in its place it has none.</summary>
    public static async Task<Response> SendAsync(RunningGateway gateway, string serverName, string host, string path, string version = "2.0")
    {
        // HttpClient itself would take the name from Host.
        using var client = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (context, cancellationToken) =>
            {
                var tcp = new TcpClient();
                await tcp.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, cancellationToken);
                var tls = new SslStream(tcp.GetStream());
                var options = new SslClientAuthenticationOptions
                {
                    TargetHost = serverName,
                    ApplicationProtocols = [version == "2.0" ? SslApplicationProtocol.Http2 : SslApplicationProtocol.Http11],
                    RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate?.Subject == "CN=localhost",
                };
                await tls.AuthenticateAsClientAsync(options, cancellationToken);
                return tls;
            },
        });
        return await client.SendAsync(gateway.Url + path, change: request =>
        {
            request.Version = new Version(version);
            request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
            request.Headers.Host = host;
        });
    }
}
