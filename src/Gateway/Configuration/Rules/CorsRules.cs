using Gateway.Networking;

namespace Gateway.Configuration.Rules;

/// <summary>Checks the CORS policies.</summary>
internal static class CorsRules
{
    private const string Policies = "Cors:Policies";
    private const string Any = "*";

    /// <summary>
    /// A CORS policy has no reserved name, lists each origin without a wildcard or path, has valid methods and header names, and a MaxAge that is not
    /// negative.
    /// </summary>
    public static void Check(RuleContext context)
    {
        foreach (var (name, policy) in context.Options.Cors.Policies)
        {
            var key = $"{Policies}:{name}";
            if (ReservedPolicy.Is(name)) context.Error(key, ReservedPolicy.Message);
            if (policy.Origins.Count == 0)
                context.Error($"{key}:Origins", "is required. Write the origins that may call, such as [ \"https://app.example.com\" ].");
            for (var index = 0; index < policy.Origins.Count; index++)
                if (!IsOrigin(policy.Origins[index]))
                    context.Error($"{key}:Origins:{index}",
                        $"is {Finding.Quote(policy.Origins[index])}, which is not an origin. "
                        + "Write each as scheme, host and port without a path or \"*\", such as \"https://app.example.com\".");
            CheckTokens(context, $"{key}:Methods", policy.Methods, "a method, such as GET");
            CheckTokens(context, $"{key}:Headers", policy.Headers, "a header's name, such as authorization");
            CheckTokens(context, $"{key}:ExposedHeaders", policy.ExposedHeaders, "a header's name, such as Retry-After");
            if (policy.MaxAge < TimeSpan.Zero)
                context.Error($"{key}:MaxAge", $"is {policy.MaxAge}. Write how long browsers may keep a preflight's response, such as \"00:10:00\".");
        }
    }

    private static void CheckTokens(RuleContext context, string key, IReadOnlyList<string> tokens, string expected)
    {
        for (var index = 0; index < tokens.Count; index++)
            if (tokens[index] == Any || !HttpToken.Is(tokens[index]))
                context.Error($"{key}:{index}", $"is {Finding.Quote(tokens[index])}. Write {expected}.");
    }

    // Whether a text is an http or https origin without user information, path or wildcard. Browsers send an origin in exactly this form, and it is
    // compared as text.
    private static bool IsOrigin(string text) =>
        HttpAddress.TryParse(text, out var uri)
        && !text.Contains('*', StringComparison.Ordinal)
        && uri.UserInfo.Length == 0
        && uri.GetLeftPart(UriPartial.Authority).Equals(text, StringComparison.OrdinalIgnoreCase);
}
