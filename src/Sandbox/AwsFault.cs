namespace Sandbox;

/// <summary>Something that goes wrong at AWS. See <see cref="AwsEmulator.Inject"/>.</summary>
public sealed record AwsFault
{
    private AwsFault()
    {
    }

    internal AwsErrorException? Exception { get; private init; }

    internal TimeSpan? DelayBefore { get; private init; }

    internal bool HangsUntilRemoved { get; private init; }

    internal bool AbortsConnection { get; private init; }

    internal (int Code, string Body)? RawAnswer { get; private init; }

    internal bool TruncatesAnswer { get; private init; }

    internal TimeSpan? Lifetime { get; private init; }

    internal bool LeavesCredentialsOut { get; private init; }

    internal bool ReplacesEndpoint { get; private init; }

    internal string? EndpointAddress { get; private init; }

    /// <summary>An AWS error in the protocol's own shape.</summary>
    /// <param name="code">Such as <c>Throttling</c>, <c>AccessDenied</c>, <c>RegionDisabledException</c>.</param>
    /// <param name="status">The HTTP status; 400 is that of most.</param>
    /// <param name="message">The message; absent: the code.</param>
    /// <returns>The fault.</returns>
    public static AwsFault Error(string code, int status = 400, string? message = null) =>
        new() { Exception = new AwsErrorException(code, status, message ?? code) };

    /// <summary><c>Throttling</c>, "Rate exceeded", as STS says it (400).</summary>
    /// <returns>The fault.</returns>
    public static AwsFault Throttling() => Error("Throttling", 400, "Rate exceeded");

    /// <summary>An HTTP status with no AWS error in the body, as a load balancer answers it.</summary>
    /// <param name="status">Such as 500 or 503.</param>
    /// <returns>The fault.</returns>
    public static AwsFault HttpStatus(int status) => new() { RawAnswer = (status, "") };

    /// <summary>A response as it stands, such as a proxy's page or half of one.</summary>
    /// <param name="status">The HTTP status.</param>
    /// <param name="body">The body.</param>
    /// <returns>The fault.</returns>
    public static AwsFault Response(int status, string body) => new() { RawAnswer = (status, body) };

    /// <summary>The answer comes later, by the real clock. Goes together with another fault.</summary>
    /// <param name="delay">How much later.</param>
    /// <returns>The fault.</returns>
    public static AwsFault Delay(TimeSpan delay) => new() { DelayBefore = delay };

    /// <summary>No answer until the fault is removed or the emulator stops; then the ordinary one.</summary>
    /// <returns>The fault.</returns>
    public static AwsFault Hang() => new() { HangsUntilRemoved = true };

    /// <summary>The connection drops.</summary>
    /// <returns>The fault.</returns>
    public static AwsFault Abort() => new() { AbortsConnection = true };

    /// <summary>200 with a body that is neither XML nor JSON.</summary>
    /// <returns>The fault.</returns>
    public static AwsFault Garbage() => new() { RawAnswer = (200, "\u0001 this is no answer <&") };

    /// <summary>200 with the first half of the right body.</summary>
    /// <returns>The fault.</returns>
    public static AwsFault Truncated() => new() { TruncatesAnswer = true };

    /// <summary>200 with no body.</summary>
    /// <returns>The fault.</returns>
    public static AwsFault Empty() => new() { RawAnswer = (200, "") };

    /// <summary>AssumeRole grants a session of this length, whatever was asked for.</summary>
    /// <param name="lifetime">The length; zero or less for one that is over already.</param>
    /// <returns>The fault.</returns>
    public static AwsFault GrantOnly(TimeSpan lifetime) => new() { Lifetime = lifetime };

    /// <summary>AssumeRole succeeds without a <c>Credentials</c> element.</summary>
    /// <returns>The fault.</returns>
    public static AwsFault WithoutCredentials() => new() { LeavesCredentialsOut = true };

    /// <summary>DescribeEndpoint answers this address.</summary>
    /// <param name="address">Any text, a host name or not; null for JSON null.</param>
    /// <returns>The fault.</returns>
    public static AwsFault Endpoint(string? address) => new() { ReplacesEndpoint = true, EndpointAddress = address };
}
