using System.Globalization;
using System.Net;
using Gateway.Networking;

namespace Gateway.Differences;

/// <summary>What a change of a setting means for who is let in. A null setting is absent. Each method returns null if the two mean the same.</summary>
internal static class SettingJudgements
{
    public static Effect? Neutral(Setting? before, Setting? after) => Effect.Changed;

    /// <summary>Every change may let in something else.</summary>
    public static Effect? Other(Setting? before, Setting? after) => Effect.Loosened;

    /// <summary>As <see cref="Other"/>, of hexadecimal digits.</summary>
    public static Effect? OtherDigits(Setting? before, Setting? after) =>
        string.Equals(before?.Text, after?.Text, StringComparison.OrdinalIgnoreCase) ? null : Effect.Loosened;

    /// <summary>A condition: without it, more is let in.</summary>
    public static Effect? Less(Setting? before, Setting? after) => after is null ? Effect.Loosened : Effect.Tightened;

    /// <summary>A list of what is let in, or an entry of it.</summary>
    public static Effect? More(Setting? before, Setting? after) => (before?.Value, after?.Value) switch
    {
        (string[] old, string[] current) => current.Except(old, StringComparer.Ordinal).Any() ? Effect.Loosened : Effect.Tightened,
        _ => after is null || after.Value is string[] { Length: 0 } ? Effect.Tightened : Effect.Loosened,
    };

    /// <summary>A list of which a caller needs one. An empty one asks for nothing.</summary>
    public static Effect? AnyOf(Setting? before, Setting? after) => (Items(before), Items(after)) switch
    {
        ({ Length: > 0 }, { Length: 0 }) => Effect.Loosened,
        ({ Length: 0 }, { Length: > 0 }) => Effect.Tightened,
        ({ Length: 0 }, { Length: 0 }) => null,
        _ => More(before, after),
    };

    /// <summary>A list that an issuer is limited to. If it is absent, the issuer is not limited; if it is empty, nothing is let in.</summary>
    public static Effect? OnlyOf(Setting? before, Setting? after) =>
        after is null ? Effect.Loosened : before is null ? Effect.Tightened : More(before, after);

    /// <summary>A list of what has to share one thing: with fewer, each has more of it.</summary>
    public static Effect? FewerLoosen(Setting? before, Setting? after) =>
        Items(before).Except(Items(after), StringComparer.Ordinal).Any() ? Effect.Loosened : Effect.Tightened;

    public static Effect? MoreNames(Setting? before, Setting? after) =>
        Split(after).Except(Split(before), StringComparer.OrdinalIgnoreCase).Any() ? Effect.Loosened
        : Split(before).Except(Split(after), StringComparer.OrdinalIgnoreCase).Any() ? Effect.Tightened
        : null;

    /// <summary>A switch that is a demand: on keeps out.</summary>
    public static Effect? Demand(Setting? before, Setting? after) => after?.Value is true ? Effect.Tightened : Effect.Loosened;

    /// <summary>A switch that is a permission: on lets in.</summary>
    public static Effect? Grant(Setting? before, Setting? after) => after?.Value is true ? Effect.Loosened : Effect.Tightened;

    /// <summary>A maximum. Without it there is no bound.</summary>
    public static Effect? Greater(Setting? before, Setting? after) => Compare(before, after) > 0 ? Effect.Loosened : Effect.Tightened;

    /// <summary>A minimum, or a time that a maximum is for.</summary>
    public static Effect? Smaller(Setting? before, Setting? after) => Compare(after, before) > 0 ? Effect.Loosened : Effect.Tightened;

    /// <summary>A maximum, of which a negative value is none.</summary>
    public static Effect? GreaterBytes(Setting? before, Setting? after) => Greater(Bounded(before), Bounded(after));

    private static Setting? Bounded(Setting? size) => size?.Value is < 0L ? null : size;

    public static Effect? Networks(Setting? before, Setting? after)
    {
        var (old, current) = (NetworksOf(before), NetworksOf(after));
        if (current is null) return old is null ? null : Effect.Loosened;
        if (old is null) return Effect.Tightened;
        return !current.All(network => IsWithin(network, old)) ? Effect.Loosened
            : old.All(network => IsWithin(network, current)) ? null
            : Effect.Tightened;
    }

    private static bool IsWithin(IPNetwork inner, IReadOnlyList<IPNetwork> outer) =>
        outer.Any(network => network.PrefixLength <= inner.PrefixLength && network.Contains(inner.BaseAddress));

    private static IReadOnlyList<IPNetwork>? NetworksOf(Setting? setting) =>
        setting?.Text is { Length: > 0 } text && AddressList.TryParse(text, out var networks, out _) ? networks : null;

    private static string[] Items(Setting? setting) => setting?.Value as string[] ?? [];

    private static string[] Split(Setting? setting) =>
        (setting?.Text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static int Compare(Setting? before, Setting? after) => Size(after).CompareTo(Size(before));

    private static double Size(Setting? setting) => setting?.Value switch
    {
        null => double.PositiveInfinity,
        TimeSpan time => time.TotalSeconds,
        DateTimeOffset time => (time - DateTimeOffset.UnixEpoch).TotalSeconds,
        bool flag => flag ? 1 : 0,
        IConvertible number when double.TryParse(number.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture, out var value) => value,
        _ => double.NaN,
    };
}
