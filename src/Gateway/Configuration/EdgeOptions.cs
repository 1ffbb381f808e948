namespace Gateway.Configuration;

/// <summary>The checks before a request is routed.</summary>
internal sealed record EdgeOptions
{
    /// <summary>The methods that are let in at all. Default: <c>GET HEAD POST PUT PATCH DELETE OPTIONS</c>.</summary>
    public IReadOnlyList<string> Methods { get; init; } = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

    /// <summary>The proxies, as addresses or networks, whose word on the client's address is taken. Default: none.</summary>
    public IReadOnlyList<string> TrustedProxies { get; init; } = [];

    /// <summary>
    /// The most connections that one client address (IPv6 by /64) may hold at once. Those of <see cref="TrustedProxies"/> are not bounded.
    /// Default: a quarter of <c>Kestrel:Limits:MaxConcurrentConnections</c>, at least 100; no bound where that has none.
    /// </summary>
    public int? ConnectionsPerAddress { get; init; }

    /// <summary>
    /// The most upgraded connections, such as WebSockets, that one caller may hold at once, over HTTP/1.1 and HTTP/2 together. Where nobody
    /// is authenticated, a client address. Default: 100.
    /// </summary>
    public int UpgradesPerCaller { get; init; } = 100;

    /// <summary>How often a client address may fail to authenticate.</summary>
    public FailedAuthenticationsOptions FailedAuthentications { get; init; } = new();
}

/// <summary>How often a client address (IPv6 by /64) may fail to authenticate before it gets 429.</summary>
internal sealed record FailedAuthenticationsOptions
{
    /// <summary>The most failures in a <see cref="Window"/>. Default: 100.</summary>
    public int PermitLimit { get; init; } = 100;

    /// <summary>The time that failures are counted over. Default: 1 minute.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromMinutes(1);
}
