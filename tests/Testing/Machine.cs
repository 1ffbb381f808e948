using System.Diagnostics;
using System.Globalization;

namespace Testing;

/// <summary>
/// How fast this machine is now, for tests whose promise is a real time, such as a response within a timeout. The promise holds for the product; beside
/// it the test allows for the machine itself: ten times the slowest of a few plain requests of the same kind.
/// </summary>
public sealed class Machine
{
    private const int Times = 5;
    private const int Tolerance = 10;

    private readonly TimeSpan _slowest;

    private Machine(TimeSpan slowest) => _slowest = slowest;

    /// <summary>Measures work that is not under test, and prints how long it took.</summary>
    /// <param name="work">A request of the kind that the test bounds, without the fault. Its argument counts the requests.</param>
    /// <param name="print">Prints to the test's output.</param>
    public static async Task<Machine> MeasureAsync(Func<int, Task> work, Action<string> print)
    {
        // The first compiles what the others run.
        await work(0);
        var slowest = TimeSpan.Zero;
        for (var i = 1; i <= Times; i++)
        {
            var begun = Stopwatch.GetTimestamp();
            await work(i);
            if (Stopwatch.GetElapsedTime(begun) is var elapsed && elapsed > slowest) slowest = elapsed;
        }

        print(string.Create(
            CultureInfo.InvariantCulture, $"This machine takes up to {slowest.TotalMilliseconds:F1} ms; bounds are widened by {Tolerance} times that."));
        return new(slowest);
    }

    /// <inheritdoc cref="MeasureAsync(Func{int, Task}, Action{string})"/>
    public static Task<Machine> MeasureAsync(Func<Task> work, Action<string> print) => MeasureAsync(_ => work(), print);

    /// <summary>A bound that holds on this machine.</summary>
    public TimeSpan Within(TimeSpan promise) => promise + (Tolerance * _slowest);
}
