using Gateway.Configuration;
using Microsoft.AspNetCore.Cors.Infrastructure;

namespace Gateway.Cors;

/// <summary>Builds the CORS policies that routes name in <c>CorsPolicy</c>.</summary>
internal static class CorsPolicies
{
    public static CorsPolicy Build(CorsPolicyOptions options)
    {
        var policy = new CorsPolicyBuilder()
            .WithOrigins([.. options.Origins])
            .WithMethods([.. options.Methods])
            .WithHeaders([.. options.Headers])
            .WithExposedHeaders([.. options.ExposedHeaders])
            .SetPreflightMaxAge(options.MaxAge);
        return (options.AllowCredentials ? policy.AllowCredentials() : policy.DisallowCredentials()).Build();
    }
}
