using System.Text.Json.Nodes;
using Testing;

namespace Gateway.Tests.Edge;

/// <summary>A gateway with a listener for each of HTTP/1.1 and HTTP/2, as no TLS is there to negotiate.</summary>
public class BothProtocols : PlatformFixture
{
    private readonly int _http1 = FreePort.Find();
    private readonly int _http2 = FreePort.Find();

    public string Http1 => $"http://127.0.0.1:{_http1}";

    public string Http2 => $"http://127.0.0.1:{_http2}";

    protected override void Change(JsonObject settings)
    {
        settings.Remove("Urls");
        settings.Set("Kestrel:Endpoints:One", $$"""{ "Url": "{{Http1}}" }""")
            .Set("Kestrel:Endpoints:Two", $$"""{ "Url": "{{Http2}}", "Protocols": "Http2" }""");
    }
}
