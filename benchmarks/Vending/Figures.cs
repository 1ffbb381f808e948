using System.Globalization;
using System.Runtime.InteropServices;
using Testing;

namespace Vending;

/// <summary>What was measured: said at once, and once more as a table.</summary>
internal sealed class Figures
{
    private readonly List<(string What, string Figure)> _rows = [];

    public void Add(string what, FormattableString figure)
    {
        var text = figure.ToString(CultureInfo.InvariantCulture);
        _rows.Add((what, text));
        Console.WriteLine($"{what}: {text}");
    }

    public void WriteTable()
    {
        var redis = RedisServer.IsReal ? "redis-server" : "Garnet";
        Console.WriteLine();
        Console.WriteLine(
            $"{DateTime.UtcNow:yyyy-MM-dd}, {Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}, "
            + $"{RuntimeInformation.FrameworkDescription}, {redis}");
        Console.WriteLine();
        Console.WriteLine("| what | figure |");
        Console.WriteLine("|---|---|");
        foreach (var (what, figure) in _rows) Console.WriteLine($"| {what} | {figure} |");
    }
}
