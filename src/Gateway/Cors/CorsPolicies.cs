using Gateway.Configuration;
using Microsoft.AspNetCore.Cors.Infrastructure;

namespace Gateway.Cors;

/// <summary>What the policies that routes name in <c>CorsPolicy</c> come to.</summary>
internal static class CorsPolicies
{
    public static CorsPolicy Build(CorsPolicyOptions options) =>
        new CorsPolicyBuilder().WithOrigins([.. options.Origins]).WithMethods([.. options.Methods]).WithHeaders([.. options.Headers]).Build();
}
