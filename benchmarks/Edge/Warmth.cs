namespace Edge;

/// <summary>The first seconds of a new process under load.</summary>
/// <param name="What">Whose.</param>
/// <param name="Seconds">A run each, one second long.</param>
internal sealed record Warmth(string What, IReadOnlyList<LoadRun> Seconds)
{
    private const int Count = 30;

    /// <summary>The gateway, beside YARP and what a user would write: how long until .NET has compiled what is hot, and how much faster it is then.</summary>
    public static async Task<IReadOnlyList<Warmth>> MeasureAsync(Stage stage)
    {
        var requests = stage.WriteRequests("warmth", [stage.SomePassThrough]);
        using var gateway = await stage.StartGatewayAsync("warmth");
        using var withDefaults = await stage.StartGatewayAsync("warmth-defaults", environment: Server.PlatformDefaults);
        using var yarp = await stage.StartPeerAsync(Server.PlatformDefaults, "yarp", "--service", stage.ServiceUrl);
        using var user = await stage.StartPeerAsync(
            Server.PlatformDefaults, "yarp-user", "--service", stage.ServiceUrl, "--authority", stage.World.Issuer.Issuer);
        return
        [
            await OfAsync("the gateway, pass-through, as shipped", gateway.Server),
            await OfAsync("the same with the platform's defaults", withDefaults.Server),
            await OfAsync("YARP", yarp),
            await OfAsync("YARP + JwtBearer + rate limiter + HTTP logging", user),
        ];

        async Task<Warmth> OfAsync(string what, Server server)
        {
            var runs = new LoadRun[Count];
            for (var second = 0; second < Count; second++) runs[second] = await Wrk.RunAsync(server, requests, seconds: 1);
            return new(what, runs);
        }
    }
}
