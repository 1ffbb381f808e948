namespace Edge;

/// <summary>What the project asks of the gateway, judged by what was measured; what was not is left out.</summary>
internal static class Goals
{
    private const double Flat = 1.1;
    private const double NearlyFlat = 1.25;
    private const double SmallEntry = 2.5 * 1024;
    private const double LargeEntry = 3 * 1024;
    private const double Linear = 1.5;

    /// <summary>Ratios of median rates, in both ways to log.</summary>
    public static IEnumerable<Goal> OfRates(IReadOnlyList<Target> targets) =>
        from gateway in targets
        from goal in gateway.Name switch
        {
            "pass" => [.. Both(gateway, "yarp", 0.90, 0.78), .. Both(gateway, "haproxy", 1.10, 0.95), .. Both(gateway, "yarp-user", 2.2, 1.8)],
            "vend" => [.. Both(gateway, "kestrel", 0.75, 0.65), .. Both(gateway, "kestrel-jwt", 2.0, 1.6)],
            "pass-key" => Both(gateway, "pass", 1.0, 0.98),
            "pass-quiet" => [.. Both(gateway, "yarp", 0.90, 0.78), .. Both(gateway, "haproxy-quiet", 1.10, 0.95)],
            "vend-quiet" => [.. Both(gateway, "kestrel", 0.75, 0.65), .. Both(gateway, "kestrel-jwt", 2.0, 1.6)],
            _ => (Func<IReadOnlyList<Target>, Goal?>[])[],
        }
        let judged = goal(targets)
        where judged is not null
        select judged;

    public static IEnumerable<Goal> OfTail(Tail tail) => tail.Steps.Select(step => Goal.AtMost(
        FormattableString.Invariant($"p99 that pass-through, as shipped, adds to YARP's {tail.Bare:F2} ms at half of its peak ({tail.Rate:F0} a second)")
        + (step.ColdVends == 0 ? "" : FormattableString.Invariant($", beside {step.ColdVends} concurrent cold vends")),
        Median.Of(step.Added), 1, 2, "ms", FormattableString.Invariant($"{step.Added.Min():F2} to {step.Added.Max():F2}")));

    public static Goal OfConsoles(ConsoleCost cost)
    {
        const double Most = 0.02;
        var wanted = FormattableString.Invariant($"≤ {Most:P0}");
        return new(
            $"processor time that {Consoles.Count} open consoles add to a request that is passed through", wanted, wanted,
            FormattableString.Invariant(
                $"{cost.Added:P1} (single rounds before: {cost.Closed.Min():F2} to {cost.Closed.Max():F2} × another gateway, then {cost.Open.Min():F2} to {cost.Open.Max():F2})"),
            Goal.Judge(cost.Added <= Most, cost.Added <= Most));
    }

    public static IEnumerable<Goal> OfStartUp(IReadOnlyList<double> seconds, double memory) =>
    [
        Goal.AtMost(
            "start to the first authenticated 200, published build", Median.Of(seconds), 0.45, 0.55, "s",
            FormattableString.Invariant($"{seconds.Min():F2} to {seconds.Max():F2}")),
        Goal.AtMost("memory at rest, published build", memory / (1 << 20), 100, 120, "MiB"),
    ];

    public static IEnumerable<Goal> OfGrowth(IReadOnlyList<GrowthStep> steps, double beyondBound)
    {
        var (first, middle, last) = (steps[^3], steps[^2], steps[^1]);
        var each = Each(first, last);
        var isLinear = Each(middle, last) <= Linear * Each(first, middle);
        var isBounded = beyondBound <= each / 4;
        yield return IsFlat("organizations", steps[0].Organizations, last.Organizations, last.Warm.P50 / steps[0].Warm.P50);
        yield return new(
            "memory of an organization",
            "≤ 2.5 KiB", "≤ 3 KiB, and grows with their number, no faster",
            FormattableString.Invariant($"{each:N0} bytes ({Each(first, middle):N0} up to {middle.Organizations:N0}, {Each(middle, last):N0} from there)"),
            Goal.Judge(each <= SmallEntry && isLinear, each <= LargeEntry && isLinear));
        yield return new(
            "memory of an organization beyond `Cache:MaxEntries`",
            "none", "none",
            FormattableString.Invariant($"{Math.Max(0, beyondBound):N0} bytes"), Goal.Judge(isBounded, false));

        static double Each(GrowthStep less, GrowthStep more) => (more.Heap - less.Heap) / (more.Organizations - less.Organizations);
    }

    public static Goal OfRoutes(IReadOnlyList<RouteStep> steps) =>
        IsFlat("routes", steps[0].Routes, steps[^1].Routes, steps[^1].P50 / steps[0].P50);

    private static Goal IsFlat(string what, int few, int many, double slower) => new(
        FormattableString.Invariant($"warm latency with {many:N0} {what} over that with {few:N0}"),
        FormattableString.Invariant($"flat: ≤ {Flat} ×"), FormattableString.Invariant($"≤ {NearlyFlat} ×"), FormattableString.Invariant($"{slower:F2} ×"),
        Goal.Judge(slower <= Flat, slower <= NearlyFlat));

    // By requests a second, and by processor time a request, which a busy load generator does not bound.
    private static Func<IReadOnlyList<Target>, Goal?>[] Both(Target gateway, string peer, double goal, double least)
    {
        return
        [
            targets => Ratio(targets, "", static target => target.Rates, static (ours, theirs) => ours / theirs),
            targets => Ratio(targets, ", by processor time", static target => target.Processors, static (ours, theirs) => theirs / ours),
        ];

        Goal? Ratio(IReadOnlyList<Target> targets, string how, Func<Target, IReadOnlyList<double>> figures, Func<double, double, double> ratio)
        {
            if (targets.FirstOrDefault(target => target.Name == peer) is not { } other) return null;
            var rounds = figures(gateway).Zip(figures(other), ratio).ToArray();
            return Goal.AtLeast(
                $"{gateway.What}, over {other.What}{how}", ratio(Median.Of(figures(gateway)), Median.Of(figures(other))), goal, least,
                FormattableString.Invariant($"{rounds.Min():F2} to {rounds.Max():F2}"));
        }
    }
}
