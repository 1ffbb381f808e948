using Gateway.Configuration;

namespace Gateway.Cors;

/// <summary>The policies that routes name in <c>CorsPolicy</c>.</summary>
internal static class CorsPolicies
{
    public static void AddCorsPolicies(this WebApplicationBuilder builder, GatewayOptions options) =>
        builder.Services.AddCors(cors =>
        {
            foreach (var (name, policy) in options.Cors.Policies)
                cors.AddPolicy(name, to => to.WithOrigins([.. policy.Origins]).WithMethods([.. policy.Methods]).WithHeaders([.. policy.Headers]));
        });
}
