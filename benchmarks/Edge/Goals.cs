namespace Edge;

/// <summary>What the project asks of the gateway, judged by what was measured; what was not is left out.</summary>
internal static class Goals
{
    private const double Flat = 1.25;
    private const double Linear = 1.5;

    /// <summary>Ratios of median rates, in both ways to log.</summary>
    public static IEnumerable<Goal> OfRates(IReadOnlyList<Target> targets) =>
        from gateway in targets
        from goal in gateway.Name.Split('-')[0] switch
        {
            "pass" => [Rate(gateway, "yarp", 0.90, 0.80), Rate(gateway, "haproxy", 1.1, 1.0)],
            "vend" => [Rate(gateway, "kestrel", 0.70, 0.60), Rate(gateway, "kestrel-jwt", 1.8, 1.5)],
            _ => (Func<IReadOnlyList<Target>, Goal?>[])[],
        }
        let judged = goal(targets)
        where judged is not null
        select judged;

    public static Goal OfTail(Target gateway, (double Rate, double Bare, double Gateway) tail) => Goal.AtMost(
        FormattableString.Invariant($"p99 that {gateway.What} adds to YARP's {tail.Bare:F2} ms at half of its peak ({tail.Rate:F0} a second)"),
        tail.Gateway - tail.Bare, 1, 2, "ms");

    public static IEnumerable<Goal> OfStartUp(double seconds, double memory) =>
    [
        Goal.AtMost("start to the first authenticated 200, published build", seconds, 0.6, 0.8, "s"),
        Goal.AtMost("memory at rest, published build", memory / (1 << 20), 120, 160, "MiB"),
    ];

    public static IEnumerable<Goal> OfGrowth(IReadOnlyList<GrowthStep> steps, double beyondBound)
    {
        var (first, middle, last) = (steps[^3], steps[^2], steps[^1]);
        var each = Each(first, last);
        var slower = last.Warm.P50 / steps[0].Warm.P50;
        var isLinear = Each(middle, last) <= Linear * Each(first, middle);
        var isBounded = beyondBound <= each / 4;
        yield return new(
            FormattableString.Invariant($"warm latency with {last.Organizations:N0} organizations over that with {steps[0].Organizations:N0}"),
            FormattableString.Invariant($"flat: ≤ {Flat} ×"), "–", FormattableString.Invariant($"{slower:F2} ×"), Goal.Judge(slower <= Flat, true));
        yield return new(
            "memory of an organization",
            "≤ 4,096 bytes", "grows with their number, no faster",
            FormattableString.Invariant($"{each:N0} bytes ({Each(first, middle):N0} up to {middle.Organizations:N0}, {Each(middle, last):N0} from there)"),
            Goal.Judge(each <= 4096, isLinear));
        yield return new(
            "memory of an organization beyond `Cache:MaxEntries`",
            "none", "none",
            FormattableString.Invariant($"{Math.Max(0, beyondBound):N0} bytes"), Goal.Judge(isBounded, false));

        static double Each(GrowthStep less, GrowthStep more) => (more.Heap - less.Heap) / (more.Organizations - less.Organizations);
    }

    private static Func<IReadOnlyList<Target>, Goal?> Rate(Target gateway, string peer, double goal, double least) => targets =>
    {
        if (targets.FirstOrDefault(target => target.Name == peer) is not { } other) return null;
        var rounds = gateway.Rates.Zip(other.Rates, (ours, theirs) => ours / theirs).ToArray();
        return Goal.AtLeast(
            $"{gateway.What}, over {other.What}", gateway.Rate / other.Rate, goal, least,
            FormattableString.Invariant($"{rounds.Min():F2} to {rounds.Max():F2}"));
    };
}
