using System.Text.Json;

namespace Sandbox.IotDataPlane;

/// <summary>
/// Evaluates an IAM policy as AWS documents it: an applicable Deny wins, then an applicable Allow, otherwise nothing is allowed. It shares no code with the
/// rules that judge templates, so that each can be checked against the other. Anything it does not know, such as an operator or a condition key, makes an Allow
/// inapplicable and a Deny applicable.
/// </summary>
internal sealed class IamPolicy
{
    private readonly List<IamStatement> _statements;

    private IamPolicy(List<IamStatement> statements) => _statements = statements;

    /// <summary>Reads a policy that STS has accepted.</summary>
    public static IamPolicy Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        // Only this version of the language has variables.
        var hasVariables = root.TryGetProperty("Version", out var version) && version.GetString() == "2012-10-17";
        return new([.. IamStatement.OneOrMany(root.GetProperty("Statement")).Select(statement => IamStatement.Read(statement, hasVariables))]);
    }

    /// <summary>Whether an action on a resource is allowed.</summary>
    /// <param name="action">The action, such as <c>iot:Publish</c>.</param>
    /// <param name="resource">The ARN of the resource.</param>
    /// <param name="context">The values of condition keys and policy variables.</param>
    public bool Allows(string action, string resource, IamContext context)
    {
        var isAllowed = false;
        foreach (var statement in _statements)
        {
            var applies = statement.Applies(action, resource, context);
            if (!statement.IsAllow && applies != false) return false;
            isAllowed |= statement.IsAllow && applies == true;
        }

        return isAllowed;
    }
}
