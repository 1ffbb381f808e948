namespace Sandbox;

/// <summary>A fault at AWS. See <see cref="AwsEmulator.Inject"/>.</summary>
public sealed record AwsFault
{
    private AwsFault()
    {
    }

    internal AwsErrorException? Exception { get; private init; }

    internal TimeSpan? DelayBefore { get; private init; }

    internal bool HangsUntilRemoved { get; private init; }

    internal bool AbortsConnection { get; private init; }

    internal (int Code, string Body)? RawResponse { get; private init; }

    internal bool TruncatesResponse { get; private init; }

    internal TimeSpan? Lifetime { get; private init; }

    internal bool LeavesCredentialsOut { get; private init; }

    internal bool ReplacesEndpoint { get; private init; }

    internal string? EndpointAddress { get; private init; }

    /// <summary>An AWS error in the protocol's own format.</summary>
    /// <param name="code">The AWS error code, such as <c>Throttling</c>, <c>AccessDenied</c>, <c>RegionDisabledException</c>.</param>
    /// <param name="status">The HTTP status; most errors have 400.</param>
    /// <param name="message">The message. Default: the code.</param>
    /// <returns>The fault.</returns>
    public static AwsFault Error(string code, int status = 400, string? message = null) =>
        new() { Exception = new AwsErrorException(code, status, message ?? code) };

    /// <summary><c>Throttling</c>, "Rate exceeded", with STS's text (400).</summary>
    /// <returns>The fault.</returns>
    public static AwsFault Throttling() => Error("Throttling", 400, "Rate exceeded");

    /// <summary>An HTTP status without an AWS error in the body, as a load balancer sends it.</summary>
    /// <param name="status">The HTTP status, such as 500 or 503.</param>
    /// <returns>The fault.</returns>
    public static AwsFault HttpStatus(int status) => new() { RawResponse = (status, "") };

    /// <summary>A verbatim response, such as a proxy's page or half of one.</summary>
    /// <param name="status">The HTTP status.</param>
    /// <param name="body">The body.</param>
    /// <returns>The fault.</returns>
    public static AwsFault Response(int status, string body) => new() { RawResponse = (status, body) };

    /// <summary>The response is delayed, by the real clock. It can be combined with another fault.</summary>
    /// <param name="delay">The delay.</param>
    /// <returns>The fault.</returns>
    public static AwsFault Delay(TimeSpan delay) => new() { DelayBefore = delay };

    /// <summary>No response until the fault is removed or the emulator stops; then the ordinary one.</summary>
    /// <returns>The fault.</returns>
    public static AwsFault Hang() => new() { HangsUntilRemoved = true };

    /// <summary>The connection drops.</summary>
    /// <returns>The fault.</returns>
    public static AwsFault Abort() => new() { AbortsConnection = true };

    /// <summary>200 with a body that is neither XML nor JSON.</summary>
    /// <returns>The fault.</returns>
    public static AwsFault Garbage() => new() { RawResponse = (200, "\u0001 this is no response <&") };

    /// <summary>200 with the first half of the correct body.</summary>
    /// <returns>The fault.</returns>
    public static AwsFault Truncated() => new() { TruncatesResponse = true };

    /// <summary>200 with no body.</summary>
    /// <returns>The fault.</returns>
    public static AwsFault Empty() => new() { RawResponse = (200, "") };

    /// <summary>AssumeRole grants a session of this length, whatever was requested.</summary>
    /// <param name="lifetime">The length; zero or less for a session that has already expired.</param>
    /// <returns>The fault.</returns>
    public static AwsFault GrantOnly(TimeSpan lifetime) => new() { Lifetime = lifetime };

    /// <summary>AssumeRole succeeds without a <c>Credentials</c> element.</summary>
    /// <returns>The fault.</returns>
    public static AwsFault WithoutCredentials() => new() { LeavesCredentialsOut = true };

    /// <summary>DescribeEndpoint returns this address.</summary>
    /// <param name="address">Any text, a host name or not; null for JSON null.</param>
    /// <returns>The fault.</returns>
    public static AwsFault Endpoint(string? address) => new() { ReplacesEndpoint = true, EndpointAddress = address };
}
