using CredentialModule;
using Gateway.Configuration;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Identity.Web;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Authentication;

/// <summary>One authentication scheme an issuer; a request goes to the one that its token's <c>iss</c> names, or to none.</summary>
internal static class IssuerAuthentication
{
    private const string AzureAd = "AzureAd";

    private static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(30);

    // A key that an issuer withdrew is believed for this long at most; one that it added is looked up at once, but not more often than this.
    private static readonly TimeSpan KeysAreReadEvery = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan KeysAreReadAtMostEvery = TimeSpan.FromSeconds(10);

    private static readonly string[] Algorithms =
    [
        SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512,
        SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512,
        SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512,
    ];

    public static void AddIssuers(this WebApplicationBuilder builder, GatewayOptions options)
    {
        var ids = OrganizationIdFormat.TryCreate(options.IotCredentials.OrganizationId, out _)!;
        // The request that meets a new key waits for it, instead of failing while it is fetched behind.
        AppContext.SetSwitch("Switch.Microsoft.IdentityModel.UpdateConfigAsBlocking", true);

        var schemes = new IssuerSchemes();
        builder.Services.AddSingleton(schemes);
        builder.Services.AddSingleton<ValidatedTokens>();
        builder.Services.AddTransient<BearerHandler>();
        var authentication = builder.Services.AddAuthentication(authentication =>
        {
            authentication.DefaultScheme = BearerHandler.Scheme;
            authentication.AddScheme<BearerHandler>(BearerHandler.Scheme, null);
        });
        var framework = builder.Services.Single(service => service.ServiceType == typeof(IAuthenticationService)).ImplementationType!;
        builder.Services.AddScoped(framework);
        builder.Services.AddSingleton(new KnownTokens.Framework(framework));
        builder.Services.AddSingleton<IAuthenticationService, KnownTokens>();

        foreach (var (name, scheme) in options.Authentication.Schemes)
        {
            schemes.Add(name, scheme.Issuers);
            var reader = new TokenReader(name, scheme.Organizations, null, [scheme.RoleClaim], [scheme.ScopeClaim], scheme.AcceptIdTokens, ids);
            authentication.AddJwtBearer(name, bearer =>
            {
                bearer.Authority = scheme.Authority;
                bearer.RequireHttpsMetadata = scheme.RequireHttpsMetadata;
            });
            builder.Services.PostConfigure<JwtBearerOptions>(name, bearer => Harden(bearer, scheme.Issuers, scheme.ValidAudiences, _ => reader));
        }

        builder.Services.AddSingleton<FailedAuthentications>();
        if (options.AzureAd is { } azure) AddAzureAd(builder, authentication, azure, schemes, ids);
    }

    private static void AddAzureAd(
        WebApplicationBuilder builder, AuthenticationBuilder authentication, AzureAdOptions azure, IssuerSchemes schemes, OrganizationIdFormat ids)
    {
        schemes.Add(AzureAd, azure.Issuers);
        authentication.AddMicrosoftIdentityWebApi(builder.Configuration.GetSection(AzureAd), AzureAd);
        // It has no default of its own for this one.
        builder.Services.PostConfigure<MicrosoftIdentityOptions>(AzureAd, identity => identity.Instance = azure.Instance);

        // Entra's access tokens name the tenant in `iss` and `tid`, and one key signs for all tenants: the two have to agree before a tenant's own setting
        // says which organizations it may speak for.
        var readers = azure.Tenants.ToDictionary(tenant => tenant.Key, tenant => Reader(tenant.Value.Only), StringComparer.OrdinalIgnoreCase);
        var single = Reader(null);
        builder.Services.PostConfigure<JwtBearerOptions>(AzureAd, bearer => Harden(
            bearer,
            [.. azure.Issuers],
            azure.ValidAudiences,
            token => IsEntraIdToken(token) ? null
                : !azure.IsMultiTenant ? single
                : token.TryGetPayloadValue<string>("tid", out var tenant) && azure.IssuersOf(tenant).Contains(token.Issuer, StringComparer.OrdinalIgnoreCase)
                    ? readers.GetValueOrDefault(tenant)
                    : null));

        TokenReader Reader(IReadOnlyList<string>? only) => new(AzureAd, azure.Organizations, only, ["roles"], ["scp", "scope"], acceptIdTokens: false, ids);
    }

    // Entra's ID tokens need carry none of the claims that tell one elsewhere; but unlike its access tokens they name neither scopes nor the
    // client that asked, beside the claims that Entra puts into every token of its own.
    private static bool IsEntraIdToken(JsonWebToken token)
    {
        return Has("uti", "rh", "aio", "sid") && !Has("scp", "azp", "appid");

        bool Has(params string[] claims) => claims.Any(claim => token.TryGetPayloadValue<object>(claim, out _));
    }

    private static void Harden(
        JwtBearerOptions bearer, IReadOnlyList<string> issuers, IReadOnlyList<string> audiences, Func<JsonWebToken, TokenReader?> readerOf)
    {
        bearer.MapInboundClaims = false;
        bearer.SaveToken = false;
        var parameters = bearer.TokenValidationParameters;
        parameters.ValidIssuers = issuers;
        parameters.ValidIssuer = null;
        parameters.IssuerValidator = (issuer, _, _) =>
            issuers.Contains(issuer, StringComparer.Ordinal) ? issuer : throw new SecurityTokenInvalidIssuerException("the issuer is none of the scheme's");
        parameters.ValidAudiences = audiences;
        parameters.ValidAudience = null;
        parameters.AudienceValidator = null;
        parameters.ValidAlgorithms = Algorithms;
        parameters.RequireExpirationTime = true;
        parameters.RequireSignedTokens = true;
        parameters.ValidateLifetime = true;
        parameters.ValidateAudience = true;
        parameters.ValidateIssuer = true;
        parameters.ValidateIssuerSigningKey = true;
        parameters.ClockSkew = ClockSkew;

        if (bearer.ConfigurationManager is BaseConfigurationManager keys)
        {
            keys.AutomaticRefreshInterval = KeysAreReadEvery;
            keys.RefreshInterval = KeysAreReadAtMostEvery;
            // The last good configuration would keep a withdrawn key alive for an hour.
            keys.UseLastKnownGoodConfiguration = false;
        }

        bearer.Events ??= new JwtBearerEvents();
        var validated = bearer.Events.OnTokenValidated;
        bearer.Events.OnTokenValidated = async context =>
        {
            await validated(context);
            if (context.Result is not null) return;
            var token = (JsonWebToken)context.SecurityToken;
            var refusal = "the tenant is not accepted, or the token is an ID token";
            if (readerOf(token)?.Read(token, (System.Security.Claims.ClaimsIdentity)context.Principal!.Identity!, out refusal) is { } caller)
                context.Principal = new System.Security.Claims.ClaimsPrincipal(caller);
            else
                context.Fail(refusal!);
        };
    }
}
