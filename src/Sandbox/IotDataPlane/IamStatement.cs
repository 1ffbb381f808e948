using System.Text.Json;

namespace Sandbox.IotDataPlane;

/// <summary>One statement of an <see cref="IamPolicy"/>.</summary>
internal sealed class IamStatement
{
    private List<IamPattern> _actions = [];
    private List<IamPattern> _resources = [];
    private List<IamCondition> _conditions = [];
    private bool _excludesActions;
    private bool _excludesResources;

    public bool IsAllow { get; private init; }

    public static IamStatement Read(JsonElement statement, bool hasVariables)
    {
        var result = new IamStatement { IsAllow = statement.GetProperty("Effect").GetString() == "Allow" };
        (result._actions, result._excludesActions) = Patterns(statement, "Action", hasVariables: false, ignoreCase: true);
        (result._resources, result._excludesResources) = Patterns(statement, "Resource", hasVariables, ignoreCase: false);
        if (statement.TryGetProperty("Condition", out var conditions))
            result._conditions = [.. IamCondition.Read(conditions, hasVariables)];
        return result;
    }

    /// <summary>Whether the statement is about this request; null if that cannot be known.</summary>
    public bool? Applies(string action, string resource, IamContext context)
    {
        // False if any of these is false, otherwise unknown if any is unknown.
        var applies = Excluded(IamPattern.AnyMatches(_actions, action, context), _excludesActions);
        if (applies != false) applies &= Excluded(IamPattern.AnyMatches(_resources, resource, context), _excludesResources);
        foreach (var condition in _conditions)
        {
            if (applies != false) applies &= condition.Holds(context);
        }

        return applies;
    }

    public static IEnumerable<JsonElement> OneOrMany(JsonElement element) =>
        element.ValueKind == JsonValueKind.Array ? [.. element.EnumerateArray()] : [element];

    private static (List<IamPattern> Patterns, bool Excludes) Patterns(JsonElement statement, string name, bool hasVariables, bool ignoreCase)
    {
        var excludes = !statement.TryGetProperty(name, out var element);
        if (excludes) element = statement.GetProperty($"Not{name}");
        return ([.. OneOrMany(element).Select(each => new IamPattern(each.GetString()!, hasVariables, ignoreCase))], excludes);
    }

    private static bool? Excluded(bool? matches, bool excludes) => excludes ? !matches : matches;
}
