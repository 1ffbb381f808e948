namespace Edge;

/// <summary>What the gateway adds to the slowest of a hundred answers while it is far from its limits: both at half of its own peak, in turns.</summary>
internal static class Tail
{
    private const int Turns = 3;
    private const int Seconds = 3;

    public static async Task<(double Rate, double Bare, double Gateway)> MeasureAsync(Target yarp, Target gateway)
    {
        var rate = gateway.Rate / 2;
        List<WrkRun> bare = [], ours = [];
        for (var turn = 0; turn < Turns; turn++)
        {
            bare.Add(await Wrk.RunAtRateAsync(yarp.Server, yarp.Requests, Seconds, rate));
            ours.Add(await Wrk.RunAtRateAsync(gateway.Server, gateway.Requests, Seconds, rate));
        }

        return (Median.Of(bare.Concat(ours).Select(run => run.Rate)), Median.Of(bare.Select(run => run.P99)), Median.Of(ours.Select(run => run.P99)));
    }
}
