using System.Globalization;
using System.Text;

namespace Edge;

/// <summary>A bar for each target: the median of its rates, and a whisker from the slowest round to the fastest.</summary>
internal static class Plot
{
    private const int Left = 330;
    private const int Width = 560;
    private const int Row = 30;
    private const int Top = 40;

    public static string Of(IReadOnlyList<Target> targets)
    {
        var most = targets.Max(target => target.Rates.Max());
        var svg = new StringBuilder();
        svg.AppendLine(CultureInfo.InvariantCulture, $"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Left + Width + 90} {Top + (Row * targets.Count) + 10}"
            """ + $"""
             font-family="sans-serif" font-size="13">
            <rect width="100%" height="100%" fill="white"/>
            <text x="{Left}" y="22" font-weight="bold">Requests a second: median, and the slowest and fastest round</text>
            """);
        foreach (var (i, target) in targets.Index())
        {
            var y = Top + (i * Row);
            var colour = target.What.StartsWith("the gateway", StringComparison.Ordinal) ? "#2b6cb0" : "#a0aec0";
            svg.AppendLine(CultureInfo.InvariantCulture, $"""
                <text x="{Left - 8}" y="{y + 16}" text-anchor="end">{target.What}</text>
                <rect x="{Left}" y="{y + 3}" width="{At(target.Rate):F1}" height="18" fill="{colour}"/>
                <path d="M{Left + At(target.Rates.Min()):F1} {y + 12}H{Left + At(target.Rates.Max()):F1}m0 -4v8M{Left + At(target.Rates.Min()):F1} {y + 8}v8"
                """ + $"""
                 stroke="#1a202c" fill="none"/>
                <text x="{Left + At(target.Rates.Max()) + 8:F1}" y="{y + 16}">{target.Rate:N0}</text>
                """);
        }

        return svg.AppendLine("</svg>").ToString();

        double At(double rate) => rate / most * Width;
    }
}
