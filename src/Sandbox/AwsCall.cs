namespace Sandbox;

/// <summary>A call to <see cref="AwsEmulator"/>, recorded when it arrives; the last three members follow when it is answered.</summary>
public sealed class AwsCall
{
    /// <summary>
    /// <c>AssumeRole</c>, <c>AssumeRoleWithWebIdentity</c>, <c>GetCallerIdentity</c>, <c>DescribeEndpoint</c>, or whatever else was asked for.
    /// </summary>
    public required string Action { get; init; }

    /// <summary>The region of the signature; empty without a readable one.</summary>
    public required string Region { get; init; }

    /// <summary>The access key id of the signature; empty without a readable one. Checked or not: see <see cref="ErrorCode"/>.</summary>
    public required string AccessKeyId { get; init; }

    /// <summary>When it arrived, by the emulator's clock.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>For AssumeRole, with a web identity or without: what it asked for.</summary>
    public AssumeRoleInput? AssumeRole { get; init; }

    /// <summary>For DescribeEndpoint: <c>endpointType</c> as sent.</summary>
    public string? EndpointType { get; init; }

    /// <summary>For AssumeRole, with a web identity or without: the session that was granted. A fault may have kept it from the caller.</summary>
    public AwsCredentials? Issued { get; internal set; }

    /// <summary>The AWS error code that was answered; null for success, for a fault without one, and until the answer.</summary>
    public string? ErrorCode { get; internal set; }

    /// <summary>The status that was answered; null until then, and for good when the connection was dropped.</summary>
    public int? Status { get; internal set; }
}
