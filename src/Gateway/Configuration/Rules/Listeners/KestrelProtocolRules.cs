using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Gateway.Configuration.Rules.Listeners;

/// <summary>Checks the listeners' protocols. HTTP/3 is not allowed, because the connection limits do not count connections over QUIC.</summary>
internal static class KestrelProtocolRules
{
    /// <summary>No Protocols value of the section Kestrel includes HTTP/3.</summary>
    public static void Check(RuleContext context)
    {
        foreach (var (key, value) in context.Snapshot.Values)
            if (key.StartsWith("Kestrel:", StringComparison.OrdinalIgnoreCase) && key.EndsWith(":Protocols", StringComparison.OrdinalIgnoreCase)
                && Enum.TryParse<HttpProtocols>(value, ignoreCase: true, out var protocols) && protocols.HasFlag(HttpProtocols.Http3))
                context.Error(key, $"is \"{protocols}\", and Edge:ConnectionsPerAddress and the bound on silent connections do not hold for HTTP/3. "
                    + "Write \"Http1AndHttp2\".");
    }
}
