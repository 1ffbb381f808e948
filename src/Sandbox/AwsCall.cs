namespace Sandbox;

/// <summary>A call to <see cref="AwsEmulator"/>. It is recorded on arrival; the last three members are set with the response.</summary>
public sealed class AwsCall
{
    /// <summary>
    /// <c>AssumeRole</c>, <c>AssumeRoleWithWebIdentity</c>, <c>GetCallerIdentity</c>, <c>DescribeEndpoint</c>, or any other requested action.
    /// </summary>
    public required string Action { get; init; }

    /// <summary>The region of the signature; empty if there is no readable one.</summary>
    public required string Region { get; init; }

    /// <summary>The access key id of the signature, valid or not (see <see cref="ErrorCode"/>); empty if there is no readable one.</summary>
    public required string AccessKeyId { get; init; }

    /// <summary>The time of arrival, by the emulator's clock.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>For AssumeRole, with or without a web identity: the requested parameters.</summary>
    public AssumeRoleInput? AssumeRole { get; init; }

    /// <summary>For DescribeEndpoint: <c>endpointType</c> as sent.</summary>
    public string? EndpointType { get; init; }

    /// <summary>For AssumeRole, with or without a web identity: the granted session. A fault may have kept it from the caller.</summary>
    public AwsCredentials? Issued { get; internal set; }

    /// <summary>The AWS error code of the response; null for success, for a fault without a code, and until the response.</summary>
    public string? ErrorCode { get; internal set; }

    /// <summary>The status of the response; null until then, and permanently if the connection was dropped.</summary>
    public int? Status { get; internal set; }
}
