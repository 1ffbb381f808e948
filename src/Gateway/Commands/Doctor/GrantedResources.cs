using System.Text.Json;
using System.Text.RegularExpressions;

namespace Gateway.Commands.Doctor;

/// <summary>
/// The resources that a rendered session policy grants, without conditions. It says what to try, and which resource is to blame; AWS decides. Resources are
/// the last part of an ARN, such as <c>topic/o-acme/*</c>.
/// </summary>
internal sealed partial class GrantedResources
{
    private readonly List<Statement> _allowed = [];
    private readonly List<Statement> _denied = [];

    /// <param name="policy">The policy as JSON.</param>
    public GrantedResources(string policy)
    {
        using var document = JsonDocument.Parse(policy);
        foreach (var statement in List(document.RootElement.GetProperty("Statement")))
            (statement.GetProperty("Effect").GetString() == "Allow" ? _allowed : _denied).Add(Statement.Read(statement));
    }

    /// <summary>The patterns of resources of a type that an action is allowed for.</summary>
    public IReadOnlyList<string> PatternsOf(string action, string type) =>
    [
        .. _allowed.Where(statement => statement.HasAction(action))
            .SelectMany(static statement => statement.IsNotResource ? ["*"] : statement.Resources.Select(static resource => resource.Pattern))
            .Select(pattern => pattern.StartsWith($"{type}/", StringComparison.Ordinal) ? pattern : ResourcePattern.Meet(pattern, $"{type}/*", "*"))
            .OfType<string>()
            .Distinct(),
    ];

    /// <summary>Whether an action is allowed for any resource.</summary>
    public bool Grants(string action) => _allowed.Exists(statement => statement.HasAction(action));

    /// <summary>What is allowed beyond some actions, as the policy writes it: an action and a resource, each with its wildcards.</summary>
    public IEnumerable<(string Action, string Resource)> Beyond(IReadOnlyCollection<string> actions) =>
        from statement in _allowed
        from action in statement.IsNotAction ? [$"all but {string.Join(", ", statement.Actions)}"] : statement.Actions
        where statement.IsNotAction || !actions.Contains(action, StringComparer.OrdinalIgnoreCase)
        from resource in statement.IsNotResource ? [$"all but {string.Join(", ", statement.Resources.Select(static each => each.Text))}"]
            : statement.Resources.Select(static each => each.Text)
        select (action, resource);

    /// <summary>Whether an action is allowed for a resource.</summary>
    public bool Allows(string action, string resource) =>
        _allowed.Exists(statement => statement.Concerns(action, resource)) && !_denied.Exists(statement => statement.Concerns(action, resource));

    /// <summary>The resource of the policy that allows an action for a resource, as it is written; null if none does.</summary>
    public string? GrantOf(string action, string resource) => _allowed.Find(statement => statement.Concerns(action, resource)) is not { } statement ? null
        : statement.IsNotResource ? $"NotResource {string.Join(", ", statement.Resources.Select(static each => each.Text))}"
        : statement.Resources.First(each => ResourcePattern.Covers(each.Pattern, resource)).Text;

    /// <summary>The resource of the policy that names a client id, topic or thing for any action, as it is written; null if none does.</summary>
    public string? ResourceOf(string resource)
    {
        var named = _allowed.Where(static statement => !statement.IsNotResource).SelectMany(static statement => statement.Resources);
        return named.Where(each => ResourcePattern.Covers(each.Pattern, resource)).Select(static each => each.Text).FirstOrDefault();
    }

    private static IEnumerable<JsonElement> List(JsonElement element) =>
        element.ValueKind == JsonValueKind.Array ? [.. element.EnumerateArray()] : [element];

    private sealed partial record Statement(
        bool IsNotAction, IReadOnlyList<string> Actions, bool IsNotResource, IReadOnlyList<(string Text, string Pattern)> Resources)
    {
        public static Statement Read(JsonElement statement)
        {
            var isNotAction = statement.TryGetProperty("NotAction", out var actions);
            if (!isNotAction) actions = statement.GetProperty("Action");
            var isNotResource = statement.TryGetProperty("NotResource", out var resources);
            if (!isNotResource) resources = statement.GetProperty("Resource");
            return new(
                isNotAction, [.. List(actions).Select(static action => action.GetString()!.ToLowerInvariant())],
                isNotResource, [.. List(resources).Select(static resource => (resource.GetString()!, PatternOf(resource.GetString()!)))]);
        }

        public bool HasAction(string action) =>
            Actions.Any(pattern => ResourcePattern.Covers(pattern, action.ToLowerInvariant())) != IsNotAction;

        public bool Concerns(string action, string resource) =>
            HasAction(action) && Resources.Any(each => ResourcePattern.Covers(each.Pattern, resource)) != IsNotResource;

        // A variable can have any value. The first five parts of an ARN are those of the account.
        private static string PatternOf(string arn) => Variable().Replace(arn.Split(':', 6) is [_, _, _, _, _, var resource] ? resource : arn, "*");

        [GeneratedRegex(@"\$\{[^}]*\}")]
        private static partial Regex Variable();
    }
}
