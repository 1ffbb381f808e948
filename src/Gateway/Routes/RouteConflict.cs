namespace Gateway.Routes;

/// <summary>
/// A request that fits two routes, neither of which goes first. Validation refuses routes that one value of each header and parameter could do that with; what is
/// left are requests that say two things at once, such as <c>X-Version: 1, 2</c> where a route takes the 1 and another the 2.
/// </summary>
internal static class RouteConflict
{
    /// <summary>The status of such a request.</summary>
    public const int Status = StatusCodes.Status400BadRequest;

    /// <summary>Whether the router threw because of one. The framework's exception is its own.</summary>
    public static bool Is(Exception exception) => exception.GetType().FullName == "Microsoft.AspNetCore.Routing.Matching.AmbiguousMatchException";
}
