using IotCredentials.Operations;

namespace Gateway.Explanations;

/// <summary>The gateway's expected handling of a request, with the reasons.</summary>
internal sealed record Explanation
{
    public required ExplainedRequest Request { get; init; }

    /// <summary>The status of the gateway's own error response. Absent when a route takes the request.</summary>
    public int? Refused { get; init; }

    /// <summary>The word for the rejection in the access log and in metrics. Absent if the server rejects it before either.</summary>
    public string? Reason { get; init; }

    /// <summary>The reason for the rejection, or the reason why the route takes the request.</summary>
    public required string Why { get; init; }

    /// <summary>The route that matches the request.</summary>
    public RouteRow? Route { get; init; }

    /// <summary>The routes that match the path but do not take the request.</summary>
    public IReadOnlyList<UnmatchedRoute>? Lost { get; init; }

    /// <summary>The number of routes with another path.</summary>
    public int? OtherPaths { get; init; }

    public TokenVerdict? Token { get; init; }

    public AssumeRoleExplanation? AssumeRole { get; init; }

    /// <summary>Notes on points that the explanation leaves open.</summary>
    public required IReadOnlyList<string> Notes { get; init; }
}
