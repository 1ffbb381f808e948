using System.Runtime.InteropServices;
using Edge;
using Vending;

// Whatever was started ends with this process, and so it has to end in an orderly way.
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);

// Production has a redis-server, so figures are of one.
Environment.SetEnvironmentVariable("TEST_REDIS_SERVER", Installed.Find("redis-server"));

return await Arguments.InvokeAsync(args, async arguments =>
{
    await using var stage = await Stage.StartAsync(arguments.Published, arguments.Wants);
    for (var warmup = 0; warmup < 2; warmup++)
    {
        foreach (var target in stage.Targets) await target.WarmUpAsync(arguments.Seconds);
    }

    for (var round = 0; round < arguments.Rounds; round++)
    {
        foreach (var target in stage.Targets) await target.MeasureAsync(arguments.Seconds);
    }

    foreach (var target in stage.Targets)
    {
        Console.WriteLine(FormattableString.Invariant(
            $"{target.Name,-12} {target.SlowestRate,8:F0} {target.Rate,8:F0} {target.FastestRate,8:F0} a second, p50 {target.P50:F2} ms, p99 {target.P99:F2} ms, {target.Processor:F0} µs of processor a request"));
    }
});

static void End(PosixSignalContext signal)
{
    signal.Cancel = true;
    Environment.Exit(130);
}
