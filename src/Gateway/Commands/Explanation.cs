namespace Gateway.Commands;

/// <summary>What the gateway would do with a request, and why.</summary>
internal sealed record Explanation
{
    public required ExplainedRequest Request { get; init; }

    /// <summary>The status that the gateway itself answers; absent when a route takes the request.</summary>
    public int? Refused { get; init; }

    /// <summary>Why it is refused, or why the route takes it.</summary>
    public required string Why { get; init; }

    /// <summary>The route that the request comes to.</summary>
    public RouteRow? Route { get; init; }

    /// <summary>Routes that match the path and do not take the request.</summary>
    public IReadOnlyList<LostRoute>? Lost { get; init; }

    /// <summary>How many routes have another path.</summary>
    public int? OtherPaths { get; init; }

    public TokenVerdict? Token { get; init; }

    public AssumeRoleRow? AssumeRole { get; init; }

    /// <summary>What the explanation leaves open.</summary>
    public required IReadOnlyList<string> Notes { get; init; }
}
