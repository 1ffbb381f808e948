using System.Text.Encodings.Web;
using System.Text.Json;
using Gateway.Configuration.Rules.Identity;
using Gateway.Configuration.Schema;
using IotCredentials.Http;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Rules.Routes;

/// <summary>
/// Checks the names that routes refer to. YARP responds with 503 for a cluster that does not exist, and ignores a rate limit that does not exist.
/// </summary>
internal static class RouteNameRules
{
    private static readonly JsonSerializerOptions s_plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>
    /// Each cluster, profile, authorization policy, rate limit and CORS policy that a route names exists. Routes name no timeout or output cache
    /// policy, and the management policy exists and is not reserved.
    /// </summary>
    public static void Check(RuleContext context)
    {
        var options = context.Options;
        var clusters = context.Clusters.Select(cluster => cluster.ClusterId).ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var route in context.Routes) Check(context, route, clusters);
        if (options.Management.AuthorizationPolicy is not { } policy) return;
        if (AuthorizationPolicyRules.IsReserved(policy))
            context.Error("Management:AuthorizationPolicy", $"is {policy}: any caller could act. Name a policy, or leave the key out, and nobody may.");
        else
            CheckName(context, "Management:AuthorizationPolicy", policy, "Authorization:Policies",
                options.Authorization.Policies.Keys, false);
    }

    private static void Check(RuleContext context, RouteConfig route, HashSet<string> clusters)
    {
        var options = context.Options;
        CheckName(context, RouteKey.Of(route, "AuthorizationPolicy"), route.AuthorizationPolicy, "Authorization:Policies",
            options.Authorization.Policies.Keys, AuthorizationPolicyRules.IsReserved(route.AuthorizationPolicy),
            name => Snippet("Authorization", name, "{ \"Scopes\": [\"api.read\"] }")
                + " Any authenticated caller may use a route without AuthorizationPolicy.");
        CheckName(context, RouteKey.Of(route, "RateLimiterPolicy"), route.RateLimiterPolicy, "RateLimiting:Policies",
            options.RateLimiting.Policies.Keys, ReservedPolicy.IsDisable(route.RateLimiterPolicy),
            name => Snippet(
                "RateLimiting", name, "{ \"Algorithm\": \"FixedWindow\", \"PartitionBy\": \"Subject\", \"PermitLimit\": 100, \"Window\": \"00:01:00\" }"));
        CheckName(context, RouteKey.Of(route, "CorsPolicy"), route.CorsPolicy, "Cors:Policies",
            options.Cors.Policies.Keys, ReservedPolicy.IsDisable(route.CorsPolicy),
            name => Snippet("Cors", name, "{ \"Origins\": [\"https://app.example.com\"], \"Methods\": [\"GET\"], \"Headers\": [\"authorization\"] }"));
        CheckName(context, RouteKey.Of(route, "ClusterId"), route.ClusterId, "ReverseProxy:Clusters",
            clusters, false);

        var profile = RouteMetadata.Of(route) is { Profile: null, Module: null } ? null : ModuleRoute.ProfileOf(route);
        CheckName(context, RouteKey.Of(route, "Metadata:Profile"), profile, "IotCredentials:Profiles", options.IotCredentials.Profiles.Keys, false);

        if (route.TimeoutPolicy is not null)
            context.Error(RouteKey.Of(route, "TimeoutPolicy"),
                "names a policy, and there are none. Write the route's own Timeout, such as \"00:00:30\".");
        if (route.OutputCachePolicy is not null)
            context.Error(RouteKey.Of(route, "OutputCachePolicy"),
                "names a policy, and there are none: what one caller may read is not kept for another. Remove it.");
    }

    // Suggests a definition for a policy that another host may define in code. Default and Disable are reserved, so another name is suggested for
    // them.
    private static string Snippet(string section, string name, string policy)
    {
        if (name.Length == 0) return "Name one of these policies, or leave the key out, also as a variable.";
        var isReserved = ReservedPolicy.Is(name);
        var text = $"\"{section}\": {{ \"Policies\": {{ {JsonSerializer.Serialize(isReserved ? "Web" : name, s_plain)}: {policy} }} }}";
        return isReserved ? $"Define one under another name, and name that: {text}." : $"If it is defined in code elsewhere, define it here: {text}.";
    }

    private static void CheckName(
        RuleContext context, string key, string? name, string section, IEnumerable<string> names, bool known, Func<string, string>? otherwise = null)
    {
        // Call Contains without a comparer, so that the dictionary's own lookup is used. With thousands of routes and names the difference is
        // noticeable.
        if (name is null || known || names.Contains(name)) return;
        context.Missing(key, name, section, [.. names], otherwise?.Invoke(name) ?? "");
    }
}
