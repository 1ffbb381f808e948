using Gateway.Networking;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Testing;
using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>Listeners that Kestrel would not open are found before the start, at their keys.</summary>
public sealed class ListenerRuleTests : IDisposable
{
    private const string Certificate = """{ "Path": "a.crt", "KeyPath": "a.key" }""";
    private readonly ConfigurationFixture _configuration = new();

    /// <summary>Kestrel takes the development certificate of a machine that has one; a configuration does not depend on that.</summary>
    public static TheoryData<string, string, string, string> WithoutCertificate => new()
    {
        { "F10 https without a certificate", """{ "Endpoints": { "A": { "Url": "https://127.0.0.1:PORT" } } }""", "Kestrel:Endpoints:A:Url", "no certificate" },
        {
            "F10 https without a certificate beside one with",
            $$"""{ "Endpoints": { "A": { "Url": "https://127.0.0.1:PORT" }, "B": { "Url": "https://127.0.0.1:0", "Certificate": {{Certificate}} } } }""",
            "Kestrel:Endpoints:A:Url", "no certificate"
        },
        {
            "F10 a certificate of no known name",
            $$"""{ "Certificates": { "Other": {{Certificate}} }, "Endpoints": { "A": { "Url": "https://127.0.0.1:PORT" } } }""",
            "Kestrel:Endpoints:A:Url", "no certificate"
        },
        {
            "F10 a server name without a certificate", """{ "Endpoints": { "A": { "Url": "https://127.0.0.1:PORT", "Sni": { "a.example.com": { } } } } }""",
            "Kestrel:Endpoints:A:Sni:a.example.com", "no certificate"
        },
        {
            "F10 a server name without a certificate beside one with",
            """{ "Endpoints": { "A": { "Url": "https://127.0.0.1:PORT", "Sni": { "a.example.com": { "Protocols": "Http2" },"""
                + $$""" "*": { "Certificate": {{Certificate}} } } } } }""",
            "Kestrel:Endpoints:A:Sni:a.example.com", "no certificate"
        },
    };

    public static TheoryData<string, string, string, string> Dying => new()
    {
        {
            "F10 a certificate without TLS", $$"""{ "Endpoints": { "A": { "Url": "http://127.0.0.1:PORT", "Certificate": {{Certificate}} } } }""",
            "Kestrel:Endpoints:A", "HTTPS-only"
        },
        {
            "F10 client certificates without TLS",
            """{ "Endpoints": { "A": { "Url": "http://127.0.0.1:PORT", "ClientCertificateMode": "AllowCertificate" } } }""",
            "Kestrel:Endpoints:A", "HTTPS-only"
        },
        { "F10 no Url", """{ "Endpoints": { "A": { "Protocols": "Http2" } } }""", "Kestrel:Endpoints:A:Url", "is required" },
        { "F10 an empty Url", """{ "Endpoints": { "A": { "Url": "" } } }""", "Kestrel:Endpoints:A:Url", "is required" },
        { "F10 an endpoint of nothing", """{ "Endpoints": { "A": { } } }""", "Kestrel:Endpoints:A:Url", "is required" },
        {
            "F10 one address twice", """{ "Endpoints": { "A": { "Url": "http://127.0.0.1:PORT" }, "B": { "Url": "http://127.0.0.1:PORT" } } }""",
            "Kestrel:Endpoints:B:Url", "another listener"
        },
        {
            "F10 an address and its name", """{ "Endpoints": { "A": { "Url": "http://127.0.0.1:PORT" }, "B": { "Url": "http://localhost:PORT" } } }""",
            "Kestrel:Endpoints:B:Url", "another listener"
        },
        {
            "F10 an address and all", """{ "Endpoints": { "A": { "Url": "http://127.0.0.1:PORT" }, "B": { "Url": "http://*:PORT" } } }""",
            "Kestrel:Endpoints:B:Url", "another listener"
        },
        {
            "F10 all of IPv4 and all", """{ "Endpoints": { "A": { "Url": "http://0.0.0.0:PORT" }, "B": { "Url": "http://[::]:PORT" } } }""",
            "Kestrel:Endpoints:B:Url", "another listener"
        },
        {
            "F10 a buffer less than a request line", """{ "Limits": { "MaxRequestBufferSize": 1000, "MaxRequestHeadersTotalSize": 900 } }""",
            "Kestrel:Limits:MaxRequestBufferSize", "MaxRequestLineSize"
        },
        {
            "F10 a buffer less than the headers", """{ "Limits": { "MaxRequestBufferSize": 10000 } }""",
            "Kestrel:Limits:MaxRequestBufferSize", "MaxRequestHeadersTotalSize"
        },
        {
            "F10 a request line more than the buffer", """{ "Limits": { "MaxRequestLineSize": 2000000 } }""",
            "Kestrel:Limits:MaxRequestLineSize", "MaxRequestBufferSize"
        },
        {
            "F10 headers more than the buffer", """{ "Limits": { "MaxRequestHeadersTotalSize": 2000000 } }""",
            "Kestrel:Limits:MaxRequestHeadersTotalSize", "MaxRequestBufferSize"
        },
    };

    [Theory]
    [MemberData(nameof(Dying))]
    [MemberData(nameof(WithoutCertificate))]
    public void F10_A_listener_that_Kestrel_refuses_is_an_error(string name, string kestrel, string key, string message)
    {
        Listen(kestrel);

        var finding = Assert.Single(_configuration.Load().Findings);
        Assert.True((finding.Severity, finding.Key) == (Severity.Error, key), $"{name}: {finding}");
        Assert.Contains(message, finding.Message, StringComparison.Ordinal);
        Assert.Matches("^appsettings.json:[0-9]+$", finding.Source);
    }

    // The rules are no stricter than Kestrel: without them the same configuration dies at its start.
    [Theory]
    [MemberData(nameof(Dying))]
    public async Task F10_And_a_start_would_die_of_it(string name, string kestrel, string key, string message)
    {
        Listen(kestrel);

        var failure = await Record.ExceptionAsync(StartAsync);
        Assert.True(failure is InvalidOperationException or IOException or ArgumentException, $"{name} ({key}, {message}): {failure}");
    }

    [Theory]
    [InlineData($$"""{ "Certificates": { "Default": {{Certificate}} }, "Endpoints": { "A": { "Url": "https://127.0.0.1:PORT" } } }""")]
    [InlineData($$"""{ "Endpoints": { "A": { "Url": "https://127.0.0.1:PORT", "Certificate": {{Certificate}} } } }""")]
    [InlineData($$"""{ "Endpoints": { "A": { "Url": "https://127.0.0.1:PORT", "Sni": { "*": { "Certificate": {{Certificate}} } } } } }""")]
    [InlineData(
        """{ "Endpoints": { "A": { "Url": "http://127.0.0.1:PORT" }, "B": { "Url": "http://[::1]:PORT" }, "C": { "Url": "http://127.0.0.2:PORT" } } }""")]
    [InlineData("""{ "Endpoints": { "A": { "Url": "http://127.0.0.1:0" }, "B": { "Url": "http://127.0.0.1:0" } } }""")]
    [InlineData("""{ "Limits": { "MaxRequestBufferSize": 40000 } }""")]
    [InlineData("""{ "Limits": { "MaxRequestBufferSize": null, "MaxRequestLineSize": 2000000 } }""")]
    public async Task F10_A_listener_that_Kestrel_opens_is_good(string kestrel)
    {
        Listen(kestrel);

        _configuration.LoadGood();
        await StartAsync();
    }

    [Theory]
    [InlineData("http://*:http", "not an address to listen on")]
    [InlineData("http://*:8080,8081", "not an address to listen on")]
    [InlineData("http://localhost:eighty", "not an address to listen on")]
    [InlineData("http://127.0.0.1:8080;http://localhost:8080", "another listener")]
    [InlineData("http://*:8080;http://+:8080", "another listener")]
    [InlineData("http://localhost:8081;https://localhost:8443", "no certificate")]
    public void F10_So_is_one_of_Urls(string urls, string message)
    {
        _configuration.Set("Urls", $"\"{urls}\"");

        var finding = _configuration.LoadBad();
        Assert.Equal("Urls", finding.Key);
        Assert.Contains(message, finding.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, """{ "a.example": { "ClientCertificateMode": "RequireCertificate" }, "*": { } }""")]
    [InlineData(true, """{ "a.example": { "ClientCertificateMode": "RequireCertificate" }, "*.example": { "Protocols": "Http1" } }""")]
    [InlineData(true, """{ "a.example": { "SslProtocols": ["Tls13"] }, "*": { } }""")]
    [InlineData(true, """{ "a.example": { "SslProtocols": ["Tls13"] }, "b.example": { "SslProtocols": ["Tls12", "Tls13"] } }""")]
    [InlineData(false, """{ "a.example": { "ClientCertificateMode": "RequireCertificate" }, "*": { "ClientCertificateMode": "RequireCertificate" } }""")]
    [InlineData(false, """{ "a.example": { "Protocols": "Http1" }, "*": { } }""")]
    public void A_route_without_hosts_beside_names_that_differ_in_their_demands_is_a_warning(bool isWarning, string names)
    {
        Listen($$"""{ "Certificates": { "Default": {{Certificate}} }, "Endpoints": { "A": { "Url": "https://127.0.0.1:PORT", "Sni": {{names}} } } }""");

        if (!isWarning)
        {
            _configuration.LoadGood();
            return;
        }

        AssertWarning("Kestrel:Endpoints:A:Sni", "has no Match:Hosts");
        foreach (var route in _configuration.Load().Snapshot!.Routes)
            _configuration.Set($"ReverseProxy:Routes:{route.RouteId}:Match:Hosts", """["a.example"]""");
        _configuration.LoadGood();
    }

    [Fact]
    public void A_version_of_TLS_that_is_none_is_one_error_at_a_server_name()
    {
        const string Names = """{ "a.example": { "SslProtocols": ["Tls1.3"] }, "*": { } }""";
        Listen($$"""{ "Certificates": { "Default": {{Certificate}} }, "Endpoints": { "A": { "Url": "https://127.0.0.1:PORT", "Sni": {{Names}} } } }""");

        Assert.Equal("Kestrel:Endpoints:A:Sni:a.example:SslProtocols:0", _configuration.LoadBad().Key);
    }

    [Theory]
    [InlineData("Ssl3")]
    [InlineData("Tls")]
    [InlineData("tls11")]
    public void A_version_of_TLS_that_is_no_longer_safe_is_a_warning_at_a_cluster(string version)
    {
        const string Versions = "ReverseProxy:Clusters:organizations:HttpClient:SslProtocols";
        _configuration.Set(Versions, """["Tls12", "Tls13", "None"]""");
        _configuration.LoadGood();

        _configuration.Set(Versions, $"""["Tls12", "{version}"]""");

        AssertWarning(Versions + ":1", "no longer safe");
    }

    [Theory]
    [InlineData(true, "*:PORT")]
    [InlineData(true, "a.example:PORT")]
    [InlineData(true, "*.example:PORT")]
    [InlineData(false, "a.example:443")]
    [InlineData(false, "a.example:*")]
    [InlineData(false, "a.example")]
    public void A_host_with_the_port_of_one_of_several_listeners_is_a_warning(bool isWarning, string host)
    {
        var port = $"{FreePort.Find()}";
        var hosts = $"""["{host.Replace("PORT", port, StringComparison.Ordinal)}"]""";
        _configuration.Set("Urls", $"\"http://127.0.0.1:{port}\"").Set("ReverseProxy:Routes:organizations:Match:Hosts", hosts);
        _configuration.LoadGood();
        _configuration.Set("Urls", $"\"http://127.0.0.1:{port};http://127.0.0.1:0\"");

        if (isWarning) AssertWarning("ReverseProxy:Routes:organizations:Match:Hosts:0", "other listeners");
        else _configuration.LoadGood();
    }

    public void Dispose() => _configuration.Dispose();

    private void AssertWarning(string key, string message)
    {
        var finding = Assert.Single(_configuration.Load().Findings);
        Assert.Equal((Severity.Warning, key), (finding.Severity, finding.Key));
        Assert.Contains(message, finding.Message, StringComparison.Ordinal);
    }

    private async Task StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new() { ContentRootPath = _configuration.Folder });
        builder.Configuration.AddJsonFile("appsettings.json");
        builder.WebHost.UseKestrel(kestrel =>
        {
            kestrel.Configure(builder.Configuration.GetSection("Kestrel"));
            KestrelLimits.Bind(builder.Configuration, kestrel.Limits);
        });
        await using var app = builder.Build();
        app.Run(_ => Task.CompletedTask);
        await app.StartAsync(TestContext.Current.CancellationToken);
    }

    private void Listen(string kestrel)
    {
        _configuration.WriteCertificate();
        if (kestrel.Contains("Endpoints", StringComparison.Ordinal)) _configuration.Set("Urls", null);
        else _configuration.Set("Urls", "\"http://127.0.0.1:0\"");
        _configuration.Set("Kestrel", kestrel.Replace("PORT", $"{FreePort.Find()}", StringComparison.Ordinal));
    }
}
