using Gateway.Authentication;

namespace Gateway.Configuration.Rules.Identity;

/// <summary>Checks the introspection endpoint. No finding shows any part of the client's secret.</summary>
internal static class IntrospectionRules
{
    private const string Section = "Authentication:Introspection";
    private const int LongestSecret = 1024;
    private static readonly TimeSpan s_longestCache = TimeSpan.FromHours(1);
    private static readonly TimeSpan s_longestTimeout = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The address is an absolute http or https address, the client has an id and a readable file with its secret, times are in bounds. No scheme has the
    /// name of the schemes that API keys and introspection are.
    /// </summary>
    public static void Check(RuleContext context)
    {
        foreach (var name in context.Options.Authentication.Schemes.Keys.Where(IsReserved))
            context.Error($"Authentication:Schemes:{name}", "has the name of the scheme that API keys, or introspected tokens, are of. Choose another.");
        if (context.Options.Authentication.Introspection is not { } introspection) return;
        CheckAddress(context, introspection.Address);
        if (string.IsNullOrWhiteSpace(introspection.ClientId))
            context.Error($"{Section}:ClientId", "is required. Write the id that the endpoint knows the gateway by.");
        CheckSecret(context, introspection.ClientSecretPath);
        CheckTime("CacheFor", introspection.CacheFor, s_longestCache);
        CheckTime("Timeout", introspection.Timeout, s_longestTimeout);
        foreach (var (name, claim) in new[] { ("RoleClaim", introspection.RoleClaim), ("ScopeClaim", introspection.ScopeClaim) })
            if (string.IsNullOrWhiteSpace(claim)) context.Error($"{Section}:{name}", "is empty. Write a member's name, or leave the key out.");
        SchemeRules.CheckOrganizations(context, $"{Section}:Organizations", introspection.Organizations);

        void CheckTime(string name, TimeSpan time, TimeSpan longest)
        {
            if (time <= TimeSpan.Zero || time > longest) context.Error($"{Section}:{name}", $"is {time:c}. Write a time over 0 and up to {longest:c}.");
        }
    }

    /// <summary>Whether a name is that of a scheme which no entry under Schemes defines.</summary>
    public static bool IsReserved(string name) =>
        name.Equals(ApiKey.Scheme, StringComparison.OrdinalIgnoreCase) || name.Equals(IntrospectionAuthentication.Scheme, StringComparison.OrdinalIgnoreCase);

    private static void CheckAddress(RuleContext context, string? address)
    {
        const string Key = $"{Section}:Address";
        const string Example = "Write one, such as \"https://id.example.com/introspect\".";
        if (string.IsNullOrEmpty(address))
            context.Error(Key, "is required. Write the introspection endpoint's address, such as \"https://id.example.com/introspect\".");
        else if (SchemeRules.CheckAddress(context, Key, address, requireHttps: false, Example) is not { } uri)
            return;
        else if (uri.UserInfo.Length > 0 || uri.Fragment.Length > 0)
            context.Error(Key, $"is {Finding.Quote(address)}, with a user or a fragment. Write the address alone, and ClientId and ClientSecretPath.");
        else if (uri.Scheme != Uri.UriSchemeHttps && !ThisMachine.IsLoopback(uri.Host))
            context.Warning(Key, $"is {Finding.Quote(address)}, not https: tokens, keys and the client's secret go there unencrypted. Write an https address.");
    }

    private static void CheckSecret(RuleContext context, string? path)
    {
        const string Key = $"{Section}:ClientSecretPath";
        if (string.IsNullOrWhiteSpace(path))
        {
            context.Error(Key, "is required. Name a file that holds the client's secret, and nothing else.");
            return;
        }

        var content = FileContent.Read(Path.Combine(context.Snapshot.Folder, path), out var problem);
        var text = content is null ? "" : IntrospectionClient.SecretIn(content);
        if (content is null)
            context.Error(Key,
                $"names the file {Finding.Quote(path)}, which {problem} Name a file that holds the client's secret. A secret itself does not belong here.");
        else if (text.Length is 0 or > LongestSecret || text.Any(char.IsControl))
            context.Error(Key, "names a file that does not hold one secret on one line. Write the client's secret into it, and nothing else.");
    }
}
