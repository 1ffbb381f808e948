using Gateway.Configuration;
using Gateway.Recording;

namespace Gateway.Management.Console;

/// <summary>What was vended and refreshed, and how much of the budget of STS is used.</summary>
internal sealed class ConsoleVending(VendRecorder vends, TrafficRecorder traffic, GatewayOptions options, ConsoleClock clock)
{
    public object Read() => new
    {
        clock.Now,
        clock.Started,
        traffic.Since,
        Outcomes = vends.Outcomes(),
        Calls = vends.Calls(),
        Refreshes = vends.Refreshed().ToDictionary(static kind => kind.Key, static kind => new { kind.Value.Requests, kind.Value.Errors }),
        Sts = new
        {
            options.IotCredentials.Sts.PermitsPerSecond,
            options.IotCredentials.Sts.MaxConcurrent,
            CallsPerSecond = Math.Round(vends.LastCalls("AssumeRole") / traffic.CountedSeconds, 3),
            Waiting = vends.Waiting(),
        },
        Organizations = vends.Organizations(),
        VendRecorder.MostOrganizations,
    };
}
