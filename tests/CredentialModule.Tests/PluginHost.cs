using System.Security.Claims;
using System.Text.Encodings.Web;
using Amazon.Runtime;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Testing;
using Yarp.ReverseProxy.Configuration;

namespace IotCredentials.Tests;

/// <summary>A YARP host with the plugin, each part of which a test can get wrong.</summary>
public sealed class PluginHost
{
    private readonly SettingsSource _source = new();

    public Dictionary<string, string?> Settings { get; } = new(StringComparer.Ordinal)
    {
        ["IotCredentials:Timeout"] = "00:00:20",
        ["IotCredentials:OrganizationId:Prefix"] = "o-",
        ["IotCredentials:OrganizationId:Characters"] = "A-Za-z0-9",
        ["IotCredentials:Profiles:default:RoleArn"] = "arn:aws:iam::111122223333:role/iot-organization",
        ["IotCredentials:Profiles:default:Region"] = "ap-northeast-1",
        ["IotCredentials:Profiles:default:SessionPolicy"] = "policies/organization.json",
    };

    public string Path { get; init; } = Requests.CredentialsPath("{organizationId}");

    public string Policy { get; init; } = "Members";

    public string Profile { get; init; } = "default";

    public Action<IReverseProxyBuilder, IConfiguration> Add { get; init; } = (proxy, configuration) =>
        proxy.AddIotCredentials(configuration.GetSection("IotCredentials"));

    public Action<IServiceCollection> Authenticate { get; init; } = services =>
        services.AddAuthentication("Claims").AddScheme<AuthenticationSchemeOptions, ClaimsCaller>("Claims", null);

    public Action<IServiceCollection> Handler { get; init; } = services => services.AddSingleton<IAuthorizationHandler, Membership>();

    public Action<WebApplication> Map { get; init; } = app => app.MapReverseProxy().MapIotCredentials();

    public Func<IReverseProxyBuilder, IConfiguration, IReverseProxyBuilder>? Load { get; init; }

    public Action<ConfigureHostBuilder> ConfigureHost { get; init; } = _ => { };

    /// <summary>Routes beside the one that vends.</summary>
    public IReadOnlyList<RouteConfig> OtherRoutes { get; init; } = [];

    public Action<IServiceCollection> Configure { get; init; } = _ => { };

    public Sandbox.AwsEmulator? Aws { get; set; }

    public LogLines Log { get; } = new();

    public static string ContentRoot { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, "appsettings");

    public WebApplication Build()
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = ContentRoot });
        builder.Configuration.Sources.Clear();
        builder.Configuration.Sources.Add(_source);
        _source.Take(Settings);
        ConfigureHost(builder.Host);
        builder.Logging.ClearProviders().AddProvider(Log);
        AddTo(builder.Services, builder.Configuration);
        var host = builder.Build();
        host.Urls.Add("http://127.0.0.1:0");
        Map(host);
        return host;
    }

    /// <summary>The host with a Startup class, whose pipeline is all its own.</summary>
    public IHost BuildGeneric(Action<IApplicationBuilder> configure) => new HostBuilder()
        .UseContentRoot(ContentRoot)
        .ConfigureAppConfiguration(configuration => configuration.AddInMemoryCollection(Settings))
        .ConfigureWebHost(web => web.UseKestrelCore().UseUrls("http://127.0.0.1:0")
            .ConfigureServices((context, services) =>
            {
                services.AddRouting();
                AddTo(services, context.Configuration);
            })
            .Configure(configure))
        .Build();

    /// <summary>Makes the host read <see cref="Settings"/> again, all of them at once as from a file.</summary>
    public void Reload() => _source.Take(Settings);

    public void AddTo(IServiceCollection services, IConfiguration configuration)
    {
        Authenticate(services);
        Handler(services);
        services.AddAuthorizationBuilder().AddPolicy("Members", policy => policy.RequireAuthenticatedUser());
        var proxy = services.AddReverseProxy();
        Add(Load?.Invoke(proxy, configuration) ?? proxy.LoadFromMemory([Route(), .. OtherRoutes], []), configuration);
        Configure(services);
        if (Aws is not { } aws) return;
        services.Configure<AwsClientOptions>(client =>
        {
            client.Credentials = new BasicAWSCredentials(aws.BaseCredentials.AccessKeyId, aws.BaseCredentials.SecretAccessKey);
            client.StsUrl = client.IotUrl = new Uri(aws.Url);
        });
    }

    private RouteConfig Route() => new()
    {
        RouteId = "credentials",
        Match = new RouteMatch { Path = Path },
        AuthorizationPolicy = Policy,
        Metadata = new Dictionary<string, string> { ["Module"] = "IotCredentials", ["Profile"] = Profile },
    };

    /// <summary>Believes the claims of the header <c>X-Claim</c>, each <c>TYPE=VALUE</c>, of one issuer.</summary>
    public sealed class ClaimsCaller(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            var claims = Request.Headers["X-Claim"]
                .SelectMany(header => header!.Split(", "))
                .Select(claim => claim.Split('=', 2))
                .Select(claim => new Claim(claim[0], claim[1], null, "https://id.example.com"))
                .ToList();
            return Task.FromResult(claims.Count == 0
                ? AuthenticateResult.NoResult()
                : AuthenticateResult.Success(new(new ClaimsPrincipal(new ClaimsIdentity(claims, Scheme.Name)), Scheme.Name)));
        }
    }

    private sealed class SettingsSource : ConfigurationProvider, IConfigurationSource
    {
        public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

        public void Take(IReadOnlyDictionary<string, string?> settings)
        {
            Data = new Dictionary<string, string?>(settings, StringComparer.OrdinalIgnoreCase);
            OnReload();
        }
    }

    private sealed class Membership : AuthorizationHandler<OrganizationAccessRequirement, OrganizationId>
    {
        protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, OrganizationAccessRequirement requirement, OrganizationId resource)
        {
            if (context.User.HasClaim("organizations", resource.Value)) context.Succeed(requirement);
            return Task.CompletedTask;
        }
    }
}
