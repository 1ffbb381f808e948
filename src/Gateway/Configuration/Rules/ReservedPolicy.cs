namespace Gateway.Configuration.Rules;

/// <summary>The names that YARP gives a meaning of its own, for rate limits and CORS.</summary>
internal static class ReservedPolicy
{
    /// <summary>A route's word for no policy at all.</summary>
    public const string Disable = "Disable";

    /// <summary>What is said of a policy with such a name.</summary>
    public const string Message = "has a name that means something else on a route: Default, Disable. Choose another.";

    /// <summary>Whether a name is such a name.</summary>
    public static bool Is(string name) => IsDisable(name) || name.Equals("Default", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a route says that it has no policy.</summary>
    public static bool IsDisable(string? name) => Disable.Equals(name, StringComparison.OrdinalIgnoreCase);
}
