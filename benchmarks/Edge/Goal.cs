using System.Globalization;

namespace Edge;

/// <summary>What the gateway is to reach, what it has to hold in any case, and what it did.</summary>
internal sealed record Goal(string What, string Wanted, string Required, string Measured, string Verdict)
{
    /// <param name="what">What was measured.</param>
    /// <param name="measured">The figure.</param>
    /// <param name="goal">Met by this and more.</param>
    /// <param name="least">Held by this and more.</param>
    /// <param name="range">What single rounds came to.</param>
    public static Goal AtLeast(string what, double measured, double goal, double least, string range) =>
        new(what, $"≥ {Text(goal)} ×", $"≥ {Text(least)} ×", $"{Text(measured)} × ({range})", Judge(measured >= goal, measured >= least));

    /// <param name="what">What was measured.</param>
    /// <param name="measured">The figure.</param>
    /// <param name="goal">Met by this and less.</param>
    /// <param name="most">Held by this and less.</param>
    /// <param name="unit">Of all.</param>
    /// <param name="range">What single runs came to; null if there was only one.</param>
    public static Goal AtMost(string what, double measured, double goal, double most, string unit, string? range = null)
    {
        var ranges = range is null ? "" : $" ({range})";
        return new(what, $"≤ {goal} {unit}", $"≤ {most} {unit}", $"{Text(measured)} {unit}{ranges}", Judge(measured <= goal, measured <= most));
    }

    public static string Judge(bool met, bool held) => met ? "met" : held ? "held, goal missed" : "**missed**";

    private static string Text(double number) => number.ToString("F2", CultureInfo.InvariantCulture);
}
