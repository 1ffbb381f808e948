using Gateway.Authentication;

namespace Gateway.Configuration.Rules.Identity;

/// <summary>Checks the authorization policies.</summary>
internal static class AuthorizationPolicyRules
{
    private const string Policies = "Authorization:Policies";

    /// <summary>The policy of a route that any authenticated caller may use.</summary>
    public const string Default = "Default";

    /// <summary>The policy of a route that is open without authentication.</summary>
    public const string Anonymous = "Anonymous";

    /// <summary>A policy has no reserved name, has at least one requirement and no empty scope or role, and names only existing schemes.</summary>
    public static void Check(RuleContext context)
    {
        string[] schemes =
        [
            .. context.Options.Authentication.Schemes.Keys,
            .. context.Options.AzureAd is null ? [] : new[] { SchemeRules.AzureAd },
            .. context.Options.Authentication.ApiKeys is null ? [] : new[] { ApiKey.Scheme },
            .. context.Options.Authentication.Introspection is null ? [] : new[] { IntrospectionAuthentication.Scheme },
        ];
        foreach (var (name, policy) in context.Options.Authorization.Policies)
        {
            if (IsReserved(name))
                context.Error($"{Policies}:{name}",
                    $"has a name that means something else: {Default} is any authenticated caller, {Anonymous} is anyone. "
                    + "Choose another.");
            if (!context.HasErrorAt($"{Policies}:{name}")
                && !policy.RequireOrganization && policy.Scopes.Count == 0 && policy.Roles.Count == 0 && policy.Schemes.Count == 0)
                context.Error($"{Policies}:{name}",
                    "asks for nothing. Write RequireOrganization, Scopes, Roles or Schemes; for any authenticated caller use the policy "
                    + $"{Default}.");
            foreach (var (key, values) in new[] { ("Scopes", policy.Scopes), ("Roles", policy.Roles) })
                for (var index = 0; index < values.Count; index++)
                    if (string.IsNullOrWhiteSpace(values[index]))
                        context.Error($"{Policies}:{name}:{key}:{index}", "is empty. Write a value, or remove the item.");
            for (var index = 0; index < policy.Schemes.Count; index++)
                if (!schemes.Contains(policy.Schemes[index], StringComparer.Ordinal))
                    context.Missing($"{Policies}:{name}:Schemes:{index}", policy.Schemes[index], "Authentication:Schemes", schemes,
                        $"{ApiKey.Scheme} and {IntrospectionAuthentication.Scheme} are schemes where Authentication has these sections.");
        }
    }

    /// <summary>Whether a name is reserved: <see cref="Default"/> or <see cref="Anonymous"/>. Such a policy needs no entry.</summary>
    public static bool IsReserved(string? name) =>
        Default.Equals(name, StringComparison.OrdinalIgnoreCase) || IsAnonymous(name);

    /// <summary>Whether a route's policy opens it without authentication.</summary>
    public static bool IsAnonymous(string? name) => Anonymous.Equals(name, StringComparison.OrdinalIgnoreCase);
}
