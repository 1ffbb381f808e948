using Amazon.Runtime;

namespace IotCredentials.Operations;

/// <summary>A real session of an organization, opened as vending opens it, for an operator's trial. It prints none of its credentials.</summary>
public sealed class TrialSession
{
    /// <summary>The organization.</summary>
    public required OrganizationId Organization { get; init; }

    /// <summary>The session's credentials.</summary>
    public required ImmutableCredentials Credentials { get; init; }

    /// <summary>The account of the profile's role.</summary>
    public required string AccountId { get; init; }

    /// <summary>The region of the profile.</summary>
    public required string Region { get; init; }

    /// <summary>The name of the AWS IoT data endpoint.</summary>
    public required string IotEndpoint { get; init; }

    /// <summary>The session policy as it was sent to STS.</summary>
    public required string Policy { get; init; }

    /// <summary>The names of the profile's shared topics and filters, such as <c>news/*</c>.</summary>
    public required IReadOnlyList<string> SharedTopics { get; init; }
}
