using System.Security.Claims;
using Gateway.Authentication.Keys;
using Gateway.Configuration;
using Gateway.Telemetry;
using IotCredentials.Fetching;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Identity.Web;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Authentication;

/// <summary>Registers one authentication scheme per issuer. A request is handled by the scheme of the issuer in its token's <c>iss</c>, or by none.</summary>
internal static class IssuerAuthentication
{
    private const string AzureAd = "AzureAd";

    public static void AddIssuers(this WebApplicationBuilder builder, GatewayOptions options)
    {
        var ids = OrganizationIdFormat.TryCreate(options.IotCredentials.OrganizationId, out _)!;

        var schemes = new IssuerSchemes();
        builder.Services.AddSingleton(schemes);
        builder.Services.AddSingleton(services => new ValidatedTokenCache(services.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton(services => new IssuerDocuments(services.GetRequiredService<TimeProvider>(), IssuerDocuments.CreateHandler()));
        builder.Services.AddSingleton<KeySources>();
        builder.Services.AddHostedService(services => services.GetRequiredService<KeySources>());
        builder.Services.AddHealthChecks().AddCheck<IssuersAreReachable>("issuers");
        builder.Services.AddSingleton(options.Edge.FailedAuthentications);
        builder.Services.AddSingleton<AuthenticationThrottle>();
        builder.Services.AddSingleton<Refusals>();
        builder.Services.AddTransient<BearerAuthentication>();
        builder.Services.AddTransient<CallerHandler>();
        builder.Services.AddSingleton<ApiKeyTable>();
        builder.Services.AddSingleton<ApiKeyAuthentication>();
        builder.Services.AddSingleton<KnownCallers>();
        AddIntrospection(builder, options.Authentication.Introspection, ids);
        var authentication = builder.Services.AddAuthentication(authentication =>
        {
            authentication.DefaultScheme = CallerHandler.Scheme;
            authentication.AddScheme<CallerHandler>(CallerHandler.Scheme, null);
        });
        var framework = builder.Services.Single(service => service.ServiceType == typeof(IAuthenticationService)).ImplementationType!;
        builder.Services.AddScoped(framework);
        builder.Services.AddSingleton(new CallerAuthenticationService.Framework(framework));
        builder.Services.AddSingleton<IAuthenticationService, CallerAuthenticationService>();

        foreach (var (name, scheme) in options.Authentication.Schemes)
        {
            schemes.Add(name, scheme.Issuers);
            var reader = new TokenReader
            {
                Scheme = name,
                Claims = new(ids) { OrganizationClaim = scheme.Organizations, RoleClaim = scheme.RoleClaim, ScopeClaims = [scheme.ScopeClaim] },
                SubjectClaim = scheme.SubjectClaim,
                ClientIds = scheme.ClientIds,
                AcceptIdTokens = scheme.AcceptIdTokens,
            };
            authentication.AddJwtBearer(name, bearer =>
            {
                bearer.Authority = scheme.Authority;
                bearer.MetadataAddress = scheme.MetadataAddress!;
                bearer.RequireHttpsMetadata = scheme.RequireHttpsMetadata;
            });
            builder.Services.AddOptions<JwtBearerOptions>(name).PostConfigure<KeySources>((bearer, sources) =>
            {
                ConfigureTokenValidation(name, bearer, sources, scheme.Issuers, scheme.ValidAudiences, _ => reader);
                bearer.TokenValidationParameters.ClockSkew = scheme.ClockSkew;
                // The reader checks ClientIds. A scheme with neither audiences nor clients accepts no token.
                bearer.TokenValidationParameters.ValidateAudience = scheme.ValidAudiences.Count > 0 || scheme.ClientIds.Count == 0;
            });
        }

        if (options.AzureAd is { } azure) AddAzureAd(builder, authentication, azure, schemes, ids);
    }

    private static void AddIntrospection(WebApplicationBuilder builder, IntrospectionOptions? options, OrganizationIdFormat ids)
    {
        // Null without an endpoint: its users take an IntrospectionAuthentication?.
        builder.Services.AddSingleton(services => options is null ? null! : new IntrospectionAuthentication(
            options,
            new IntrospectionClient(options, builder.Environment.ContentRootPath, services.GetRequiredService<TimeProvider>()),
            new ClaimReader(ids) { OrganizationClaim = options.Organizations, RoleClaim = options.RoleClaim, ScopeClaims = [options.ScopeClaim] },
            services.GetRequiredService<ValidatedTokenCache>(),
            services.GetRequiredService<AuthenticationThrottle>(),
            services.GetRequiredService<SingleFlight>(),
            services.GetRequiredService<GatewayMetrics>(),
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ILogger<IntrospectionAuthentication>>()));
        if (options is not null)
            builder.Services.AddHealthChecks().AddCheck<IntrospectionIsReachable>("introspection");
    }

    private static void AddAzureAd(
        WebApplicationBuilder builder, AuthenticationBuilder authentication, AzureAdOptions azure, IssuerSchemes schemes, OrganizationIdFormat ids)
    {
        schemes.Add(AzureAd, azure.Issuers);
        authentication.AddMicrosoftIdentityWebApi(builder.Configuration.GetSection(AzureAd), AzureAd);
        // Microsoft.Identity.Web has no default for Instance, and it merges its options in a PostConfigure, which sees only values set by Configure.
        builder.Services.Configure<MicrosoftIdentityOptions>(AzureAd, identity => (identity.Instance, identity.TenantId) = (azure.Instance, azure.Tenant));

        // Entra's access tokens name the tenant in `iss` and `tid`, and one key signs for all tenants. The two claims must agree before a tenant's own setting
        // decides which organizations it may speak for.
        var readers = azure.Tenants.ToDictionary(tenant => tenant.Key, tenant => Reader(tenant.Value.Only), StringComparer.OrdinalIgnoreCase);
        var single = Reader(null);
        builder.Services.AddOptions<JwtBearerOptions>(AzureAd).PostConfigure<KeySources>((bearer, sources) => ConfigureTokenValidation(
            AzureAd,
            bearer,
            sources,
            [.. azure.Issuers],
            azure.ValidAudiences,
            token => !azure.IsMultiTenant ? single
                : token.TryGetPayloadValue<string>("tid", out var tenant) && azure.IssuersOf(tenant).Contains(token.Issuer, StringComparer.Ordinal)
                    ? readers.GetValueOrDefault(tenant)
                    : null));

        TokenReader Reader(IReadOnlyList<string>? only) => new()
        {
            Scheme = AzureAd,
            Claims = new(ids) { OrganizationClaim = azure.Organizations, Only = only, RoleClaim = "roles", ScopeClaims = ["scp", "scope"] },
            IsEntra = true,
        };
    }

    private static void ConfigureTokenValidation(
        string scheme,
        JwtBearerOptions bearer,
        KeySources sources,
        IReadOnlyList<string> issuers,
        IReadOnlyList<string> audiences,
        Func<JsonWebToken, TokenReader?> readerOf)
    {
        bearer.MapInboundClaims = false;
        bearer.SaveToken = false;
        var parameters = bearer.TokenValidationParameters;
        parameters.ValidIssuers = issuers;
        parameters.ValidIssuer = null;
        parameters.IssuerValidator = (issuer, _, _) =>
            issuers.Contains(issuer, StringComparer.Ordinal) ? issuer : throw new SecurityTokenInvalidIssuerException("the issuer does not match the scheme's");
        parameters.ValidAudiences = audiences;
        parameters.ValidAudience = null;
        parameters.AudienceValidator = null;
        // Without this, "api://gateway/" would be accepted for "api://gateway".
        parameters.IgnoreTrailingSlashWhenValidatingAudience = false;
        parameters.ValidAlgorithms = VerificationKey.Algorithms;
        parameters.RequireExpirationTime = true;
        parameters.RequireSignedTokens = true;
        parameters.ValidateLifetime = true;
        parameters.ClockSkew = SchemeOptions.DefaultClockSkew;
        parameters.ValidateAudience = true;
        parameters.ValidateIssuer = true;
        parameters.ValidateIssuerSigningKey = true;

        // The library's own key source makes every request wait up to a minute for a fetch, and drops a whole key set because of one bad key.
        bearer.ConfigurationManager = sources.Add(scheme, bearer.MetadataAddress!, DocumentedIssuers(bearer.Authority, issuers), bearer.RequireHttpsMetadata);
        bearer.RefreshOnIssuerKeyNotFound = false;
        parameters.TryAllIssuerSigningKeys = false;
        parameters.IssuerSigningKeyResolverUsingConfiguration = static (_, token, keyId, _, keys) =>
            ((PublishedKeys)keys).CandidatesFor(keyId, ((JsonWebToken)token).Alg, token.Issuer);

        bearer.Events ??= new JwtBearerEvents();
        var validated = bearer.Events.OnTokenValidated;
        bearer.Events.OnTokenValidated = async context =>
        {
            await validated(context);
            if (context.Result is not null) return;
            var token = (JsonWebToken)context.SecurityToken;
            var refusal = "the tenant is not accepted";
            if (readerOf(token)?.Read(token, out refusal) is { } caller)
                context.Principal = new ClaimsPrincipal(caller);
            else
                context.Fail(refusal!);
        };
    }

    /// <summary>
    /// The issuers that a discovery document may name: the issuers of its tokens, or the authority itself, as AD FS does. Entra's document names one version,
    /// and the same keys sign tokens of both.
    /// </summary>
    private static List<string> DocumentedIssuers(string? authority, IReadOnlyList<string> issuers)
    {
        var documented = issuers.ToList();
        if (authority is null) return documented;
        if (!issuers.Contains(authority, StringComparer.Ordinal)) documented.AddRange([authority.TrimEnd('/'), authority.TrimEnd('/') + "/"]);
        if (Uri.TryCreate(authority, UriKind.Absolute, out var address) && EntraCloud.Has(address.Host))
        {
            documented.AddRange(issuers.SelectMany(issuer => Uri.TryCreate(issuer, UriKind.Absolute, out var uri) && uri.Segments is [_, var tenant, ..]
                ? EntraCloud.IssuersOf(authority, tenant.TrimEnd('/'))
                : []));
        }

        return [.. documented.Distinct(StringComparer.Ordinal)];
    }
}
