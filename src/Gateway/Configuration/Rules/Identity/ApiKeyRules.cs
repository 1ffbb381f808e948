using Gateway.Authentication;
using Gateway.Configuration.Schema;
using Gateway.Configuration.Tree;
using Gateway.Forwarding.Headers;
using Gateway.Networking;

namespace Gateway.Configuration.Rules.Identity;

/// <summary>Checks the API keys. No finding shows any part of a key, even where one was pasted in place of a name or a hash.</summary>
internal static class ApiKeyRules
{
    private const string Section = "Authentication:ApiKeys";
    private const string Keys = $"{Section}:Keys";
    private const int MostNamed = 10;
    private const int HashDigits = 64;

    /// <summary>
    /// The header can hold keys, and no route passes it on. Each key has a SHA-256 that no other has, organization ids that can exist, and addresses that
    /// can be read. Keys that have expired, or that no route of an organization takes, are warned about.
    /// </summary>
    public static void Check(RuleContext context)
    {
        var authentication = context.Options.Authentication;
        if (authentication.ApiKeys is { } pasted && (ApiKeyText.IsOwn(pasted.Header) || KeyPath.ShownKeyName(pasted.Header) != pasted.Header))
            context.Error($"{Section}:Header", "looks like a key, and everybody who can read the configuration knows it now. Write the header's name.");
        else if (authentication.ApiKeys is { } given && !ClientHeaders.MayHoldKeys(given.Header))
            context.Error($"{Section}:Header",
                $"is {Finding.Quote(given.Header)}, which is no header that can hold keys: it has another meaning, or is no header's name. "
                + $"Write a name of your own, such as {ApiKeysOptions.DefaultHeader}.");
        if (authentication.KeyHeader is { } header) CheckForwarding(context, header);
        var keys = authentication.ApiKeys?.Keys ?? new Dictionary<string, ApiKeyOptions>();
        var hashes = new Dictionary<string, string>(keys.Count, StringComparer.OrdinalIgnoreCase);
        foreach (var (name, key) in keys)
        {
            if (KeyPath.ShownKeyName(name) != name)
            {
                context.Error(Keys,
                    "has a name that looks like a key. Names are shown in logs: if it is a key, make another one. Write a name such as ci-robot.");
                continue;
            }

            CheckKey(context, $"{Keys}:{name}", key);
            if (IsHash(key.Sha256) && !hashes.TryAdd(key.Sha256!, name))
                context.Error($"{Keys}:{name}:Sha256", $"is the hash of {Finding.Quote(hashes[key.Sha256!])}, too. Give each caller a key of its own.");
        }

        var now = TimeProvider.System.GetUtcNow();
        Warn(context, keys, key => key.Expires <= now, "past their Expires, and refused: ");
        if (context.Options.Authorization.Policies.Values.Any(static policy => policy.RequireOrganization))
            Warn(context, keys, static key => key.Organizations.Count == 0,
                "without Organizations, so that no route whose policy has RequireOrganization accepts them: ");
    }

    private static void CheckKey(RuleContext context, string section, ApiKeyOptions key)
    {
        if (key.Sha256 is null)
            context.Error($"{section}:Sha256", "is required. Write the 64 hexadecimal digits that \"api-key create\" or \"api-key hash\" prints.");
        else if (ApiKeyText.IsOwn(key.Sha256))
            context.Error($"{section}:Sha256",
                "is a key itself, and everybody who can read the configuration knows it now. "
                + "Make another one, and write the hash that \"api-key create\" prints.");
        else if (!IsHash(key.Sha256))
            context.Error($"{section}:Sha256",
                $"has {key.Sha256.Length} characters and is no SHA-256. Write {HashDigits} hexadecimal digits. "
                + "If it is a key, others know it now: make another one. \"api-key hash\" prints the hash of a key.");
        OrganizationIdRules.CheckOnly(context, $"{section}:Organizations", key.Organizations);
        foreach (var (name, values) in new[] { ("Roles", key.Roles), ("Scopes", key.Scopes) })
            for (var index = 0; index < values.Count; index++)
                if (string.IsNullOrWhiteSpace(values[index])) context.Error($"{section}:{name}:{index}", "is empty. Write a value, or remove the item.");
        for (var index = 0; index < key.IpAllow.Count; index++)
            if (!AddressList.TryParse(key.IpAllow[index], out _, out _))
                context.Error($"{section}:IpAllow:{index}",
                    $"is {Finding.Quote(key.IpAllow[index])}, which is not an address or network. "
                    + "Write an IP address, or a network by its first address, such as 10.0.0.0/8.");
    }

    private static void CheckForwarding(RuleContext context, string header)
    {
        foreach (var route in context.Routes)
            if (ForwardedClientHeaders.NamesIn(RouteMetadata.Of(route).ForwardHeaders).Contains(header, StringComparer.OrdinalIgnoreCase))
                context.Error(RouteKey.Of(route, "Metadata:ForwardHeaders"),
                    $"names {Finding.Quote(header)}, which holds API keys and never goes downstream. Remove it.");
    }

    private static void Warn(RuleContext context, IReadOnlyDictionary<string, ApiKeyOptions> keys, Func<ApiKeyOptions, bool> isMeant, string problem)
    {
        // An entry with an error may have other values than were meant.
        var names = keys.Where(key => isMeant(key.Value) && !context.HasErrorAt($"{Keys}:{key.Key}")).Select(static key => key.Key).ToList();
        if (names.Count == 0) return;
        var shown = string.Join(", ", names.Take(MostNamed).Select(static name => Finding.Quote(KeyPath.ShownKeyName(name))));
        var more = names.Count > MostNamed ? $" and {names.Count - MostNamed} more" : "";
        context.Warning(names.Count == 1 ? $"{Keys}:{KeyPath.ShownKeyName(names[0])}" : Keys, $"holds keys {problem}{shown}{more}.");
    }

    private static bool IsHash(string? text) => text is { Length: HashDigits } && text.All(char.IsAsciiHexDigit);
}
