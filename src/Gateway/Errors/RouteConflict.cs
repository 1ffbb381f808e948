namespace Gateway.Errors;

/// <summary>
/// A request that matches two routes of the same precedence. Validation rejects routes that could conflict for single values of each header and parameter. The
/// remaining conflicts are requests with two values at once, such as <c>X-Version: 1, 2</c> when one route takes the 1 and another the 2.
/// </summary>
internal static class RouteConflict
{
    /// <summary>The status of such a request.</summary>
    public const int Status = StatusCodes.Status400BadRequest;

    /// <summary>Whether the router threw because of a route conflict. The framework's exception type is internal, so it is compared by name.</summary>
    public static bool Is(Exception exception) => exception.GetType().FullName == "Microsoft.AspNetCore.Routing.Matching.AmbiguousMatchException";
}
