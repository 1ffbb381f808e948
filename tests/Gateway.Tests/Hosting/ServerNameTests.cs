using Gateway.Networking;
using Gateway.Tests.Logs;
using Microsoft.Extensions.Configuration;
using Testing;
using Xunit;

namespace Gateway.Tests.Hosting;

/// <summary>A client that names one host in its TLS handshake and another in Host gets nothing that it could not get by the second name alone.</summary>
public sealed class ServerNameTests(ServerNameTests.Gateways gateways) : IClassFixture<ServerNameTests.Gateways>
{
    private const string NoName = "127.0.0.1";

    public static TheoryData<string, string> Misdirected => new()
    {
        { "b.example", "a.example" },
        { "b.example", "A.EXAMPLE" },
        { "b.example", "a.example." },
        { "b.example", "a.example:8443" },
        { NoName, "a.example" },
        { "other.example", "x.strict.example" },
        { "other.example", "x.y.strict.example" },
        { "open.strict.example", "x.strict.example" },
        { "b.example", "xn--bcher-kva.example" },
        { "b.example", "tls13.example" },
        { "tls13.example", "b.example" },
        { "tls13.example", "a.example" },
    };

    public static TheoryData<string, string> Alike => new()
    {
        { "b.example", "b.example" },
        { "b.example", "B.Example.:1" },
        { "b.example", "other.example" },
        { "other.example", "open.strict.example" },
        { "strict.example", "strict.example" },
        { "tls13.example", "tls13.example" },
        { NoName, NoName },
        { NoName, "b.example" },
    };

    [Theory]
    [MemberData(nameof(Misdirected))]
    public async Task A_host_whose_entry_demands_something_else_than_that_of_the_handshake_is_421(string serverName, string host)
    {
        foreach (var version in (string[])["1.1", "2.0"])
        {
            var path = $"/misdirected/{Guid.NewGuid():N}";

            var answer = await SniGateway.SendAsync(gateways.WithAny, serverName, host, path, version);

            ErrorResponseAssert.Matches(421, "MisdirectedRequest", answer);
            Assert.Equal("misdirected", (await AccessLines.OfPathAsync(gateways.WithAny, path)).GetProperty("reason").GetString());
        }
    }

    [Theory]
    [MemberData(nameof(Alike))]
    public async Task A_host_whose_entry_demands_the_same_is_served_over_one_connection(string serverName, string host)
    {
        foreach (var version in (string[])["1.1", "2.0"])
            ErrorResponseAssert.IsUnauthenticated(await SniGateway.SendAsync(gateways.WithAny, serverName, host, "/nowhere", version), tokenSent: false);
    }

    [Fact]
    public async Task A_host_without_an_entry_is_421()
    {
        Assert.Equal(421, (await SniGateway.SendAsync(gateways.WithoutAny, "b.example", "other.example", "/nowhere")).Status);
        Assert.Equal(401, (await SniGateway.SendAsync(gateways.WithoutAny, "b.example", "open.strict.example", "/nowhere")).Status);
    }

    [Theory]
    [InlineData("a..strict.example")]
    [InlineData("a.example.")]
    [InlineData("-")]
    public void A_server_name_that_is_not_valid_is_like_no_host(string serverName)
    {
        var names = NamesOf("Sni:*.strict.example:ClientCertificateMode=RequireCertificate", "Sni:*:Protocols=Http1").Single().Names;

        Assert.False(names.AreAlike(serverName, serverName));
        Assert.False(names.AreAlike(serverName, "b.example"));
    }

    [Theory]
    [InlineData(false, "Sni:a.example:Certificate:Path=a.crt", "Sni:*:Certificate:Path=b.crt")]
    [InlineData(false, "Sni:a.example:ClientCertificateMode=requirecertificate", "Sni:*:Protocols=Http1", "ClientCertificateMode=RequireCertificate")]
    [InlineData(false, "Sni:a.example:SslProtocols:0=Tls13", "Sni:a.example:SslProtocols:1=Tls12", "Sni:*:SslProtocols:0=tls12", "Sni:*:SslProtocols:1=tls13")]
    [InlineData(false, "Sni:a.example:ClientCertificateMode=RequireCertificate")]
    [InlineData(true, "Sni:a.example:ClientCertificateMode=RequireCertificate", "Sni:*:Protocols=Http1")]
    [InlineData(true, "Sni:a.example:ClientCertificateMode=NoCertificate", "Sni:*:Protocols=Http1", "ClientCertificateMode=RequireCertificate")]
    [InlineData(true, "Sni:a.example:SslProtocols:0=Tls13", "Sni:*:Protocols=Http1")]
    public void Only_entries_that_differ_in_their_demands_are_compared(bool differ, params string[] values) => Assert.Equal(differ, NamesOf(values).Any());

    private static IEnumerable<(string Endpoint, ServerNames Names)> NamesOf(params string[] values) =>
        ServerNames.Of(new ConfigurationBuilder()
            .AddInMemoryCollection(values.Select(value => KeyValuePair.Create($"Endpoints:A:{value.Split('=')[0]}", (string?)value.Split('=')[1])))
            .Build());

    public sealed class Gateways : IAsyncLifetime
    {
        private World _world = null!;

        public RunningGateway WithAny { get; private set; } = null!;

        public RunningGateway WithoutAny { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            _world = await World.StartAsync();
            (WithAny, WithoutAny) = (await SniGateway.StartAsync(_world), await SniGateway.StartAsync(_world, hasAny: false));
        }

        public ValueTask DisposeAsync() => _world.DisposeAsync();
    }
}
