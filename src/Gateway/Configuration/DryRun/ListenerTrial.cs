using Gateway.Configuration.Rules;
using Gateway.Configuration.Rules.Listeners;
using Gateway.Configuration.Snapshots;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace Gateway.Configuration.DryRun;

/// <summary>
/// Lets Kestrel read its section with one listener at a time, as at start, without opening the listener. An exception that Kestrel throws here would
/// make a start fail.
/// </summary>
internal static class ListenerTrial
{
    private const string Kestrel = "Kestrel";
    private const string DefaultCertificate = "Kestrel:Certificates:Default";

    /// <summary>Tries every public listener.</summary>
    public static void Check(RuleContext context)
    {
        // Skip a reload: a running gateway keeps its listeners.
        if (context.Snapshot.Input.IsReload || context.HasErrorAt("Kestrel:Certificates")) return;
        foreach (var (key, url) in ListenerAddress.Written(context))
        {
            var name = ListenerAddress.IsEndpoint(key) ? key.Split(':')[2] : null;
            var section = name is null ? key : ListenerAddress.Section(name);
            if (ListenerAddress.Parse(url) is not { } address || context.HasErrorAt(section)) continue;
            if (address.Scheme == Uri.UriSchemeHttps && IsWithoutCertificate(context, key, url, section)) continue;
            foreach (var problem in Parts.ProblemsOf(() => Read(context.Snapshot, name, url)))
                context.Error(section, $"is refused by Kestrel: {problem} Write what it asks for, or remove it.");
        }
    }

    // Reports an https listener that has no certificate. Kestrel would use the machine's development certificate if there is one. A server has none,
    // so `check` must report the same findings on both machines.
    private static bool IsWithoutCertificate(RuleContext context, string key, string url, string section)
    {
        if (HasCertificate(context, DefaultCertificate) || HasCertificate(context, $"{section}:Certificate")) return false;
        var serverNames = $"{section}:Sni:";
        var names = context.Snapshot.Values.Where(value => IsBelow(value.Key, $"{section}:Sni"))
            .Select(value => value.Key[serverNames.Length..].Split(':')[0]).Distinct(StringComparer.OrdinalIgnoreCase).ToList();
        var without = names.Where(name => !HasCertificate(context, $"{serverNames}{name}:Certificate")).ToList();
        foreach (var name in without)
            context.Error(serverNames + name, $"is a server name that there is no certificate for. {Remedy($"{serverNames}{name}:Certificate")}.");
        if (names.Count == 0)
        {
            var own = key == section ? null : $"{section}:Certificate";
            context.Error(key, $"is https ({Finding.Quote(url)}), and there is no certificate for it. {Remedy(own)}, or an http address.");
        }

        return names.Count == 0 || without.Count > 0;
    }

    private static string Remedy(string? section) =>
        $"Write {(section is null ? "" : $"{section} or ")}{DefaultCertificate}, such as {{ \"Path\": \"tls.crt\", \"KeyPath\": \"tls.key\" }}";

    private static IEnumerable<Exception> Read(Snapshot snapshot, string? name, string url)
    {
        var builder = WebApplication.CreateEmptyBuilder(new() { ContentRootPath = snapshot.Folder, EnvironmentName = snapshot.Input.EnvironmentName });
        var values = snapshot.Values.Where(value =>
            !ListenerAddress.IsEndpoint(value.Key) || (name is not null && IsBelow(value.Key, ListenerAddress.Section(name))));
        builder.Configuration.AddInMemoryCollection(name is null ? values.Append(new(ListenerAddress.UrlKey("Urls"), url)) : values);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration()
            .ConfigureKestrel(kestrel => kestrel.Configure(builder.Configuration.GetSection(Kestrel)));
        using var app = builder.Build();
        app.Services.GetRequiredService<IOptions<KestrelServerOptions>>().Value.ConfigurationLoader!.Load();
        return [];
    }

    private static bool HasCertificate(RuleContext context, string section) => context.Snapshot.Values.Any(value =>
        IsBelow(value.Key, section) && value.Value is { Length: > 0 }
        && (value.Key.EndsWith(":Path", StringComparison.OrdinalIgnoreCase) || value.Key.EndsWith(":Subject", StringComparison.OrdinalIgnoreCase)));

    private static bool IsBelow(string key, string section) => key.StartsWith(section + ":", StringComparison.OrdinalIgnoreCase);
}
