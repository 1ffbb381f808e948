using System.Net;
using System.Text.Json;

namespace Sandbox.IotDataPlane;

/// <summary>One operator of a <c>Condition</c> with one key. It holds if one of its values matches, or for a negated operator if none does.</summary>
internal sealed class IamCondition
{
    private const string IfExists = "IfExists";

    private static readonly HashSet<string> s_operators = new(StringComparer.Ordinal)
    {
        "StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "Bool", "IpAddress",
        "NotIpAddress",
    };

    private readonly string _operator;
    private readonly bool _ifExists;
    private readonly string _key;
    private readonly List<string> _values;
    private readonly List<IamPattern> _patterns;

    private IamCondition(string name, string key, IEnumerable<string> values, bool hasVariables)
    {
        _ifExists = name.EndsWith(IfExists, StringComparison.Ordinal);
        _operator = _ifExists ? name[..^IfExists.Length] : name;
        _key = key;
        _values = [.. values];
        _patterns =
        [
            .. _values.Select(value => new IamPattern(
                value,
                hasVariables,
                _operator.EndsWith("IgnoreCase", StringComparison.Ordinal),
                hasWildcards: _operator is "StringLike" or "StringNotLike")),
        ];
    }

    public static IEnumerable<IamCondition> Read(JsonElement conditions, bool hasVariables) =>
        from each in conditions.EnumerateObject()
        from key in each.Value.EnumerateObject()
        select new IamCondition(each.Name, key.Name, IamStatement.OneOrMany(key.Value).Select(Text), hasVariables);

    /// <summary>Whether the condition holds; null if the operator, the key or a value is unknown.</summary>
    public bool? Holds(IamContext context)
    {
        if (!IamContext.IsKnown(_key) || !s_operators.Contains(_operator)) return null;
        var isNegated = _operator is "StringNotEquals" or "StringNotLike" or "StringNotEqualsIgnoreCase" or "NotIpAddress";
        // Without a value nothing matches, so only a negated operator holds.
        if (context.Value(_key) is not { } value) return _ifExists || isNegated;
        var matches = _operator switch
        {
            "Bool" => _values.Contains(value, StringComparer.OrdinalIgnoreCase),
            "IpAddress" or "NotIpAddress" => IsInNetwork(value),
            _ => IamPattern.AnyMatches(_patterns, value, context),
        };
        return isNegated ? !matches : matches;
    }

    private bool? IsInNetwork(string address)
    {
        bool? any = false;
        foreach (var value in _values)
        {
            var text = value.Contains('/', StringComparison.Ordinal) ? value : $"{value}/{(value.Contains(':', StringComparison.Ordinal) ? 128 : 32)}";
            if (!IPNetwork.TryParse(text, out var network)) any = null;
            else if (network.Contains(IPAddress.Parse(address))) return true;
        }

        return any;
    }

    private static string Text(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
}
