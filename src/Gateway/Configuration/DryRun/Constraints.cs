using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing.Patterns;

namespace Gateway.Configuration.DryRun;

/// <summary>The constraints of routes' parameters, each built once: those with a regular expression compile it.</summary>
internal sealed class Constraints(ParameterPolicyFactory policies)
{
    private readonly Dictionary<string, IRouteConstraint?> _built = new(StringComparer.Ordinal);

    /// <summary>A constraint as it is written; null for a policy that constrains nothing.</summary>
    /// <exception cref="Exception">Whatever the framework throws for a constraint that cannot be built.</exception>
    public IRouteConstraint? Of(RoutePatternParameterPart parameter, RoutePatternParameterPolicyReference policy)
    {
        var written = policy.Content ?? "";
        if (!_built.TryGetValue(written, out var built)) _built[written] = built = policies.Create(parameter, policy) as IRouteConstraint;
        return built;
    }

    /// <summary>Whether all constraints of a parameter take a text.</summary>
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

    /// <summary>Whether a constraint of a parameter takes a text.</summary>
    public static bool Takes(IRouteConstraint constraint, RoutePatternParameterPart parameter, string text) =>
        constraint.Match(null, null, parameter.Name, new RouteValueDictionary { [parameter.Name] = text }, RouteDirection.IncomingRequest);
}
