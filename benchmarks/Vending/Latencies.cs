namespace Vending;

/// <summary>How long responses took, in milliseconds.</summary>
internal sealed class Latencies
{
    private readonly double[] _sorted;

    public Latencies(IEnumerable<double> milliseconds) => _sorted = [.. milliseconds.Order()];

    public IEnumerable<double> All => _sorted;

    public int Count => _sorted.Length;

    public double P50 => At(0.50);

    public double P99 => At(0.99);

    public double Max => _sorted[^1];

    public override string ToString() => FormattableString.Invariant($"p50 {P50:F2} ms, p99 {P99:F2} ms, max {Max:F1} ms ({Count} responses)");

    private double At(double share) => _sorted[(int)Math.Ceiling(_sorted.Length * share) - 1];
}
