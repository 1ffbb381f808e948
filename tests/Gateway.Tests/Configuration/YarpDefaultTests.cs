using System.Net;
using System.Reflection;
using System.Security.Authentication;
using System.Text.Json.Nodes;
using Gateway.Forwarding;
using Gateway.Networking;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.LoadBalancing;
using Yarp.ReverseProxy.Model;
using Yarp.ReverseProxy.SessionAffinity;

namespace Gateway.Tests.Configuration;

/// <summary>Compares the defaults that the schema and the table of keys show with what YARP does when a key is not set.</summary>
public sealed class YarpDefaultTests
{
    private const string Cluster = "Clusters:NAME:";

    private static readonly JsonObject s_section = JsonNode.Parse(ConfigurationSchema.Write())!["properties"]!["ReverseProxy"]!.AsObject();

    [Fact]
    public void A_route_without_an_order_and_a_path_has_order_0_and_matches_any_path()
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore();
        builder.Services.AddReverseProxy().LoadFromMemory(
            [new RouteConfig { RouteId = "r", ClusterId = "c", Match = new() { Hosts = ["h"] } }], [new ClusterConfig { ClusterId = "c" }]);
        IEndpointRouteBuilder app = builder.Build();

        app.MapReverseProxy();

        var endpoint = Assert.IsType<RouteEndpoint>(Assert.Single(app.DataSources.SelectMany(static source => source.Endpoints)));
        AssertDefault("Routes:NAME:Order", endpoint.Order);
        Assert.Equal("/{**catchall}", endpoint.RoutePattern.RawText);
    }

    [Fact]
    public async Task A_cluster_without_policies_uses_the_default_ones()
    {
        Assert.Empty(await ProblemsAsync(Yarp()));
        await AssertPolicyAsync<ILoadBalancingPolicy>("LoadBalancingPolicy", static policy => policy.Name);
        await AssertPolicyAsync<ISessionAffinityPolicy>("SessionAffinity:Policy", static policy => policy.Name);
        await AssertPolicyAsync<IAffinityFailurePolicy>("SessionAffinity:FailurePolicy", static policy => policy.Name);
        await AssertPolicyAsync<IAvailableDestinationsPolicy>("HealthCheck:AvailableDestinationsPolicy", static policy => policy.Name);
        await AssertPolicyAsync<IActiveHealthCheckPolicy>("HealthCheck:Active:Policy", static policy => policy.Name);
        await AssertPolicyAsync<IPassiveHealthCheckPolicy>("HealthCheck:Passive:Policy", static policy => policy.Name);
    }

    [Fact]
    public async Task Affinity_without_a_cookie_section_sets_the_default_cookie()
    {
        using var services = Yarp().BuildServiceProvider();
        var policy = services.GetServices<ISessionAffinityPolicy>().Single(static each => each.Name == SessionAffinityConstants.Policies.HashCookie);
        var (context, cookies) = (new DefaultHttpContext(), new Cookies());
        context.Features.Set<IResponseCookiesFeature>(cookies);

        await policy.AffinitizeResponseAsync(
            context, new ClusterState("c"), new() { Enabled = true, AffinityKeyName = "k" }, new DestinationState("d"), CancellationToken.None);

        var cookie = cookies.Appended!;
        AssertDefault(Cluster + "SessionAffinity:Cookie:Path", cookie.Path!);
        AssertDefault(Cluster + "SessionAffinity:Cookie:SecurePolicy", cookie.Secure ? CookieSecurePolicy.Always : CookieSecurePolicy.None);
        AssertDefault(Cluster + "SessionAffinity:Cookie:HttpOnly", cookie.HttpOnly);
        AssertDefault(Cluster + "SessionAffinity:Cookie:SameSite", cookie.SameSite);
        AssertDefault(Cluster + "SessionAffinity:Cookie:IsEssential", cookie.IsEssential);
        Assert.Equal((null, null, null), (cookie.Domain, cookie.Expires, cookie.MaxAge));
    }

    [Fact]
    public void Probes_have_the_default_interval_timeout_and_target()
    {
        using var services = Yarp().BuildServiceProvider();
        using var client = new HttpMessageInvoker(new Destination());
        var monitor = services.GetRequiredService<IOptions<ActiveHealthCheckMonitorOptions>>().Value;

        using var probe = services.GetRequiredService<IProbingRequestFactory>().CreateRequest(
            new(new() { HealthCheck = new() { Active = new() { Enabled = true } } }, client), new(new() { Address = "http://service" }));

        AssertDefault(Cluster + "HealthCheck:Active:Interval", monitor.DefaultInterval);
        AssertDefault(Cluster + "HealthCheck:Active:Timeout", monitor.DefaultTimeout);
        AssertDefault(Cluster + "HealthCheck:Active:Path", probe.RequestUri!.PathAndQuery);
        Assert.Equal(("http://service/", null), (probe.RequestUri.AbsoluteUri, probe.Headers.Host));
    }

    [Fact]
    public void An_unhealthy_destination_is_used_again_after_the_default_period()
    {
        var health = new HealthUpdates();
        using var services = Yarp().AddSingleton<IDestinationHealthUpdater>(health).BuildServiceProvider();
        using var client = new HttpMessageInvoker(new Destination());

        services.GetRequiredService<IPassiveHealthCheckPolicy>().RequestProxied(
            new DefaultHttpContext(), new ClusterState("c", new(new(), client)), new DestinationState("d"));

        AssertDefault(Cluster + "HealthCheck:Passive:ReactivationPeriod", health.ReactivationPeriod);
    }

    [Fact]
    public void The_HTTP_client_of_a_cluster_has_the_defaults()
    {
        var handler = HandlerOf(HttpClientConfig.Empty);
        var proxy = Assert.IsType<WebProxy>(HandlerOf(new() { WebProxy = new() { Address = new("http://proxy") } }).Proxy);

        AssertDefault(Cluster + "HttpClient:DangerousAcceptAnyServerCertificate", handler.SslOptions.RemoteCertificateValidationCallback is not null);
        AssertDefault(Cluster + "HttpClient:EnableMultipleHttp2Connections", handler.EnableMultipleHttp2Connections);
        AssertDefault(Cluster + "HttpClient:RequestHeaderEncoding", handler.RequestHeaderEncodingSelector!("X", new())!.WebName);
        AssertDefault(Cluster + "HttpClient:WebProxy:BypassOnLocal", proxy.BypassProxyOnLocal);
        AssertDefault(Cluster + "HttpClient:WebProxy:UseDefaultCredentials", proxy.UseDefaultCredentials);
        // None is the operating system's choice.
        Assert.Equal(
            (SslProtocols.None, int.MaxValue, false), (handler.SslOptions.EnabledSslProtocols, handler.MaxConnectionsPerServer, handler.UseProxy));
    }

    [Fact]
    public async Task A_request_is_forwarded_with_the_defaults()
    {
        using var services = Yarp().BuildServiceProvider();
        var (context, body, destination) = (new DefaultHttpContext(), new Body(), new Destination());
        context.Request.Method = HttpMethods.Get;
        context.Features.Set<IHttpResponseBodyFeature>(body);
        using var client = new HttpMessageInvoker(destination);
        var forwarder = services.GetRequiredService<IHttpForwarder>();

        await forwarder.SendAsync(context, "http://service/", client, ForwarderRequestConfig.Empty);

        AssertDefault(Cluster + "HttpRequest:Version", destination.Version!);
        AssertDefault(Cluster + "HttpRequest:VersionPolicy", destination.VersionPolicy);
        AssertDefault(Cluster + "HttpRequest:AllowResponseBuffering", body.IsBuffered);
        // A test without the private field would have to wait for as long.
        var timeout = forwarder.GetType().GetField("DefaultTimeout", BindingFlags.NonPublic | BindingFlags.Static)!.GetValue(null)!;
        AssertDefault(Cluster + "HttpRequest:ActivityTimeout", timeout);
    }

    private static void AssertDefault(string key, object actual) =>
        Assert.Equal(actual is bool value ? value ? "true" : "false" : $"{actual}", DefaultOf(key));

    // Without the policy YARP refuses a cluster that names none.
    private static async Task AssertPolicyAsync<T>(string key, Func<T, string> name) where T : class
    {
        var services = Yarp();
        using var all = services.BuildServiceProvider();
        services.RemoveAll<T>();
        foreach (var policy in all.GetServices<T>().Where(policy => name(policy) != DefaultOf(Cluster + key))) services.AddSingleton(policy);

        Assert.Contains($"'{DefaultOf(Cluster + key)}'", Assert.Single(await ProblemsAsync(services)).Message, StringComparison.Ordinal);
    }

    private static async Task<IList<Exception>> ProblemsAsync(IServiceCollection services)
    {
        using var provider = services.BuildServiceProvider();
        return await provider.GetRequiredService<IConfigValidator>().ValidateClusterAsync(new()
        {
            ClusterId = "c",
            SessionAffinity = new() { Enabled = true, AffinityKeyName = "k" },
            HealthCheck = new() { Active = new() { Enabled = true }, Passive = new() { Enabled = true } },
        });
    }

    // The gateway's own client: what YARP sets, and what the gateway sets otherwise.
    private static SocketsHttpHandler HandlerOf(HttpClientConfig config)
    {
        var clients = new DownstreamHttpClientFactory(
            NullLogger<ForwarderHttpClientFactory>.Instance, new(FileDescriptors.OfProcess(), Options.Create(new KestrelServerOptions())));
        using var client = clients.CreateClient(new() { ClusterId = "c", NewConfig = config });
        var handler = typeof(HttpMessageInvoker).GetField("_handler", BindingFlags.NonPublic | BindingFlags.Instance)!.GetValue(client);
        while (handler is DelegatingHandler { InnerHandler: { } inner }) handler = inner;
        return Assert.IsType<SocketsHttpHandler>(handler);
    }

    private static string DefaultOf(string key) => YarpDefaults.At(s_section, key)["default"]!.ToString();

    private static IServiceCollection Yarp() => new ServiceCollection().AddLogging().AddReverseProxy().Services;

    private sealed class Destination : HttpMessageHandler
    {
        public Version? Version { get; private set; }

        public HttpVersionPolicy VersionPolicy { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            (Version, VersionPolicy) = (request.Version, request.VersionPolicy);
            return Task.FromResult(new HttpResponseMessage());
        }
    }

    private sealed class Body() : StreamResponseBodyFeature(Stream.Null)
    {
        public bool IsBuffered { get; private set; } = true;

        public override void DisableBuffering() => IsBuffered = false;
    }

    private sealed class Cookies : IResponseCookiesFeature, IResponseCookies
    {
        public CookieOptions? Appended { get; private set; }

        IResponseCookies IResponseCookiesFeature.Cookies => this;

        public void Append(string key, string value, CookieOptions options) => Appended = options;

        public void Append(string key, string value) => throw new NotSupportedException();

        public void Delete(string key) => throw new NotSupportedException();

        public void Delete(string key, CookieOptions options) => throw new NotSupportedException();
    }

    private sealed class HealthUpdates : IDestinationHealthUpdater
    {
        public TimeSpan ReactivationPeriod { get; private set; }

        public void SetActive(ClusterState cluster, IEnumerable<NewActiveDestinationHealth> newHealthStates) => throw new NotSupportedException();

        public void SetPassive(ClusterState cluster, DestinationState destination, DestinationHealth newHealth, TimeSpan reactivationPeriod) =>
            ReactivationPeriod = reactivationPeriod;
    }
}
