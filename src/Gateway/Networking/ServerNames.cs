using System.Security.Authentication;
using Gateway.Telemetry;
using IotCredentials.Http;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Gateway.Networking;

/// <summary>
/// What the entries of an endpoint's <c>Sni</c> demand of a connection. Kestrel selects an entry by the name in the TLS handshake, and routes are selected by
/// <c>Host</c>. The client writes both, so a request whose Host selects an entry with other demands is misdirected (RFC 9110, 7.4).
/// </summary>
internal sealed class ServerNames
{
    private const string Any = "*";

    private readonly Dictionary<string, Demands> _byName = new(StringComparer.OrdinalIgnoreCase);
    private readonly (string Suffix, Demands Demands)[] _bySuffix;

    private ServerNames(IConfigurationSection endpoint, IConfigurationSection defaults)
    {
        foreach (var entry in endpoint.GetSection("Sni").GetChildren())
            _byName[entry.Key] = new(ModeOf(entry, endpoint, defaults), TlsOf(entry, endpoint, defaults));
        _bySuffix =
        [
            .. _byName.Where(static entry => entry.Key.StartsWith("*.", StringComparison.Ordinal)).OrderByDescending(static entry => entry.Key.Length)
                .Select(static entry => (entry.Key[1..], entry.Value)),
        ];
    }

    /// <summary>Returns the entries of each endpoint of the section <c>Kestrel</c> whose entries differ in ClientCertificateMode or SslProtocols.</summary>
    public static IEnumerable<(string Endpoint, ServerNames Names)> Of(IConfiguration kestrel) =>
        from endpoint in kestrel.GetSection("Endpoints").GetChildren()
        let names = new ServerNames(endpoint, kestrel.GetSection("EndpointDefaults"))
        where names._byName.Values.Distinct().Count() > 1
        select (endpoint.Key, names);

    /// <summary>Whether a request for a host may use a connection whose handshake had a server name; empty if it had none.</summary>
    public bool AreAlike(string serverName, string host) =>
        // Versions of Kestrel differ in the entry that they select by a name that is not valid in a handshake.
        (serverName.Length == 0 || (!serverName.EndsWith('.') && Uri.CheckHostName(serverName) == UriHostNameType.Dns))
        && Select(serverName) == Select(host.TrimEnd('.'));

    // As Kestrel does. Null if no entry is for the name.
    private Demands? Select(string name)
    {
        if (_byName.TryGetValue(name, out var exact)) return exact;
        foreach (var (suffix, demands) in _bySuffix)
        {
            if (name.EndsWith(suffix, StringComparison.OrdinalIgnoreCase)) return demands;
        }

        return _byName.TryGetValue(Any, out var any) ? any : null;
    }

    private static ClientCertificateMode ModeOf(params ReadOnlySpan<IConfigurationSection> sections)
    {
        foreach (var section in sections)
        {
            if (Enum.TryParse<ClientCertificateMode>(section[nameof(ClientCertificateMode)], ignoreCase: true, out var mode)) return mode;
        }

        return ClientCertificateMode.NoCertificate;
    }

    private static SslProtocols TlsOf(params ReadOnlySpan<IConfigurationSection> sections)
    {
        foreach (var section in sections)
        {
            if (section.GetSection(nameof(SslProtocols)).Get<string[]>() is { Length: > 0 } versions)
                // As Kestrel does, which ignores an unknown name. It is an error of the configuration.
                return versions.Aggregate(
                    SslProtocols.None, static (all, version) => Enum.TryParse<SslProtocols>(version, ignoreCase: true, out var known) ? all | known : all);
        }

        return SslProtocols.None;
    }

    private readonly record struct Demands(ClientCertificateMode Mode, SslProtocols Tls);
}

/// <summary>Refuses misdirected requests.</summary>
internal static class ServerNamesExtensions
{
    /// <summary>Gives each connection of an endpoint whose entries differ these entries, before its handshake.</summary>
    public static void AddServerNames(this KestrelConfigurationLoader loader, IConfiguration kestrel)
    {
        foreach (var (endpoint, names) in ServerNames.Of(kestrel))
            loader.Endpoint(endpoint, configured => configured.ListenOptions.Use(next => connection =>
            {
                connection.Features.Set(names);
                return next(connection);
            }));
    }

    /// <summary>Responds with 421 if the Host of a request selects an entry with other demands than the handshake of its connection did.</summary>
    public static void UseServerNames(this IApplicationBuilder app) => app.Use(static (context, next) =>
        context.Features.Get<ServerNames>() is { } names
        && !names.AreAlike(context.Features.Get<ITlsHandshakeFeature>()?.HostName ?? "", context.Request.Host.Host)
            ? ErrorResponse.WriteAsync(context, StatusCodes.Status421MisdirectedRequest, GatewayReason.Misdirected)
            : next(context));
}
