using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing.Patterns;

namespace Gateway.Configuration.Rules.Paths;

/// <summary>The constraints of routes' parameters. Each is built only once, because a regular expression is compiled.</summary>
internal sealed class Constraints(ParameterPolicyFactory policies)
{
    private readonly Dictionary<string, IRouteConstraint?> _built = new(StringComparer.Ordinal);

    /// <summary>Returns a constraint as it is written, or null for a policy that is not a constraint.</summary>
    /// <exception cref="Exception">The framework could not build the constraint.</exception>
    public IRouteConstraint? Of(RoutePatternParameterPart parameter, RoutePatternParameterPolicyReference policy)
    {
        var written = policy.Content ?? "";
        if (!_built.TryGetValue(written, out var built)) _built[written] = built = policies.Create(parameter, policy) as IRouteConstraint;
        return built;
    }

    /// <summary>Whether all constraints of a parameter accept a text.</summary>
    public bool Take(RoutePatternParameterPart parameter, string text)
    {
        try
        {
            return parameter.ParameterPolicies.All(policy => Of(parameter, policy) is not { } constraint || Takes(constraint, parameter, text));
        }
        catch (RegexMatchTimeoutException)
        {
            return false;
        }
    }

    /// <summary>Whether a constraint of a parameter accepts a text.</summary>
    public static bool Takes(IRouteConstraint constraint, RoutePatternParameterPart parameter, string text) =>
        constraint.Match(null, null, parameter.Name, new RouteValueDictionary { [parameter.Name] = text }, RouteDirection.IncomingRequest);
}
