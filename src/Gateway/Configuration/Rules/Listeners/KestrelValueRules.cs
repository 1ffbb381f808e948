using System.Security.Authentication;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Gateway.Configuration.Rules.Listeners;

/// <summary>
/// Checks that the enumeration values of the section <c>Kestrel</c> are names that Kestrel knows. Kestrel ignores an unknown name, so a typo would
/// turn client certificates off, and it accepts a number as whichever value the number stands for.
/// </summary>
internal static class KestrelValueRules
{
    private const string Section = "Kestrel:";

    /// <summary>Checks every enumeration value.</summary>
    public static void Check(RuleContext context)
    {
        foreach (var (key, value) in context.Snapshot.Values)
        {
            if (!key.StartsWith(Section, StringComparison.OrdinalIgnoreCase) || value is null || context.HasErrorAt(key)) continue;
            var names = key.Split(':');
            if (Is(names[^1], "ClientCertificateMode")) Check<ClientCertificateMode>(context, key, value);
            else if (Is(names[^1], "Protocols")) Check<HttpProtocols>(context, key, value);
            else if (names.Length > 2 && Is(names[^2], "SslProtocols")) Check<SslProtocols>(context, key, value);
        }
    }

    private static void Check<T>(RuleContext context, string key, string value) where T : struct, Enum
    {
        var known = Enum.GetNames<T>();
        if (value.Split(',').All(name => known.Contains(name.Trim(), StringComparer.OrdinalIgnoreCase))) return;
        context.Error(key,
            $"is {Finding.Quote(value)}, which Kestrel does not know by that name and would ignore. Write one of {string.Join(", ", known)}.");
    }

    private static bool Is(string name, string expected) => name.Equals(expected, StringComparison.OrdinalIgnoreCase);
}
