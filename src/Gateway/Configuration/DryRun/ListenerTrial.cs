using Gateway.Configuration.Rules;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace Gateway.Configuration.DryRun;

/// <summary>Has Kestrel read its section with one listener at a time, as it does at start, and opens none. What it throws there, a start dies of.</summary>
internal static class ListenerTrial
{
    private const string Kestrel = "Kestrel";
    private const string DefaultCertificate = "Kestrel:Certificates:Default";

    /// <summary>Tries every public listener.</summary>
    public static void Check(RuleContext context)
    {
        // A running gateway keeps its listeners.
        if (context.Snapshot.Reading.IsAgain || context.HasErrorAt("Kestrel:Certificates")) return;
        foreach (var (key, url) in ListenerAddress.Written(context))
        {
            var name = ListenerAddress.IsEndpoint(key) ? key.Split(':')[2] : null;
            var section = name is null ? key : ListenerAddress.Section(name);
            if (ListenerAddress.Parse(url) is not { } address || context.HasErrorAt(section)) continue;
            foreach (var problem in Parts.ProblemsOf(() => Read(context.Snapshot, name, url)))
            {
                if (address.Scheme == Uri.UriSchemeHttps && !HasCertificate(context, section) && !HasCertificate(context, DefaultCertificate))
                    context.Error(key,
                        $"is https ({Finding.Quote(url)}), and there is no certificate for it. "
                        + $"Write {(name is null ? "" : $"{section}:Certificate or ")}{DefaultCertificate}, "
                        + "such as { \"Path\": \"tls.crt\", \"KeyPath\": \"tls.key\" }, or an http address.");
                else context.Error(section, $"is refused by Kestrel: {problem} Write what it asks for, or remove it.");
            }
        }
    }

    private static IEnumerable<Exception> Read(Snapshot snapshot, string? name, string url)
    {
        var builder = WebApplication.CreateEmptyBuilder(new() { ContentRootPath = snapshot.Folder, EnvironmentName = snapshot.Reading.EnvironmentName });
        var values = snapshot.Values.Where(value =>
            !ListenerAddress.IsEndpoint(value.Key) || (name is not null && IsBelow(value.Key, ListenerAddress.Section(name))));
        builder.Configuration.AddInMemoryCollection(name is null ? values.Append(new(ListenerAddress.UrlKey("Urls"), url)) : values);
        builder.WebHost.UseKestrel(kestrel => kestrel.Configure(builder.Configuration.GetSection(Kestrel)));
        using var app = builder.Build();
        app.Services.GetRequiredService<IOptions<KestrelServerOptions>>().Value.ConfigurationLoader!.Load();
        return [];
    }

    private static bool HasCertificate(RuleContext context, string section) => context.Snapshot.Values.Any(value =>
        IsBelow(value.Key, section) && value.Value is { Length: > 0 }
        && (value.Key.EndsWith(":Path", StringComparison.OrdinalIgnoreCase) || value.Key.EndsWith(":Subject", StringComparison.OrdinalIgnoreCase)));

    private static bool IsBelow(string key, string section) => key.StartsWith(section + ":", StringComparison.OrdinalIgnoreCase);
}
