namespace Gateway.Configuration.Rules;

/// <summary>The policy names that YARP reserves for rate limits and CORS.</summary>
internal static class ReservedPolicy
{
    /// <summary>The name that turns a policy off for a route.</summary>
    public const string Disable = "Disable";

    /// <summary>The message for a policy with a reserved name.</summary>
    public const string Message = "has a name that means something else on a route: Default, Disable. Choose another.";

    /// <summary>Whether a name is reserved.</summary>
    public static bool Is(string name) => IsDisable(name) || name.Equals("Default", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a name turns the policy off for a route.</summary>
    public static bool IsDisable(string? name) => Disable.Equals(name, StringComparison.OrdinalIgnoreCase);
}
