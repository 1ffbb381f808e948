using System.Globalization;
using System.Text;
using Gateway.Explanations;

namespace Gateway.Commands.Diff;

/// <summary>Requests of a log that get another outcome, by route and change.</summary>
internal sealed class ReplayReport
{
    private const int MostExamples = 3;
    // A log with words of its own makes groups of its own.
    private const int MostGroups = 1_000;

    private readonly Dictionary<(ReplayOutcome Old, ReplayOutcome New), ReplayGroup> _groups = [];

    /// <summary>The requests that were read.</summary>
    public long Requests { get; set; }

    /// <summary>The lines that are no requests.</summary>
    public long Malformed { get; set; }

    /// <summary>The requests whose outcome changes and that are in no group, because there are too many groups.</summary>
    public long NotGrouped { get; private set; }

    /// <summary>The requests whose outcome changes, or cannot be told.</summary>
    public IReadOnlyList<ReplayGroup> Changes => [.. _groups.Values.OrderByDescending(static group => group.Count)];

    /// <summary>Counts a request whose outcome changes. There are as many groups as the two configurations have outcomes.</summary>
    public void Add(ReplayOutcome old, ReplayOutcome current, ReplayedRequest request)
    {
        if (!_groups.TryGetValue((old, current), out var group) && _groups.Count >= MostGroups)
        {
            NotGrouped++;
            return;
        }

        if (group is null)
            _groups[(old, current)] = group = new() { Route = old.Route ?? current.Route ?? "none", Change = Describe(old, current) };
        group.Count++;
        if (group.Examples.Count < MostExamples && !group.Examples.Contains(Example(request))) group.Examples.Add(Example(request));
    }

    public string ToText()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"\n{Requests} requests");
        if (Malformed > 0) text.Append(CultureInfo.InvariantCulture, $", {Malformed} other lines, which are left out");
        text.Append(Requests == 0 ? ": nothing was compared\n" : _groups.Count == 0 ? ": the same route, status and target for each\n" : "\n");
        foreach (var group in Changes)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n{group.Count} of route {group.Route.OneLine()}: {group.Change.OneLine()}\n");
            foreach (var example in group.Examples) text.Append(CultureInfo.InvariantCulture, $"   {example.OneLine()}\n");
        }

        if (NotGrouped > 0) text.Append(CultureInfo.InvariantCulture, $"\n{NotGrouped} with more changes than are shown\n");
        return text.ToString();
    }

    private static string Example(ReplayedRequest request) => $"{request.Method} {request.Path}";

    private static string Describe(ReplayOutcome old, ReplayOutcome current)
    {
        var (from, to) = (Word(old), Word(current));
        var routes = old.Route == current.Route ? "" : $"route {old.Route ?? "none"} → {current.Route ?? "none"}; ";
        var targets = old is { Status: null, Missing: null } && current is { Status: null, Missing: null } && old.Target != current.Target
            ? $"{old.Target ?? "none"} → {current.Target ?? "none"}"
            : "";
        return from == to ? (routes + targets).TrimEnd(' ', ';') : $"{routes}{from} → {to}";
    }

    private static string Word(ReplayOutcome outcome) =>
        outcome.Missing is { } missing ? $"unknown: the log does not tell {missing}"
        : outcome.Status is { } status ? string.Create(CultureInfo.InvariantCulture, $"{status} ({outcome.Reason})")
        : "let in";
}

/// <summary>Requests with the same change.</summary>
internal sealed class ReplayGroup
{
    public required string Route { get; init; }

    /// <summary>The outcome before and after.</summary>
    public required string Change { get; init; }

    public long Count { get; set; }

    /// <summary>Some of the requests.</summary>
    public List<string> Examples { get; } = [];
}
