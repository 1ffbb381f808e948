using System.Diagnostics;
using System.Globalization;

namespace Testing;

/// <summary>
/// The speed of this machine, for tests of a guarantee in real time, such as a response within a timeout. The test adds to the guaranteed time ten times the
/// slowest of a few plain requests of the same kind, measured on this machine.
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
        // The first run compiles the code of the others.
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

    /// <summary>The bound on this machine for a guaranteed time.</summary>
    public TimeSpan Within(TimeSpan guaranteed) => guaranteed + (Tolerance * _slowest);
}
