namespace IotCredentials.Failures;

/// <summary>The reason why credentials or an endpoint are not available.</summary>
public enum FailureClass
{
    /// <summary>AWS throttled the call.</summary>
    Throttled,

    /// <summary>AWS denied the call or could not read it: an operator has to change something.</summary>
    Refused,

    /// <summary>AWS granted a session below the profile's minimum lifetime: an operator has to change something.</summary>
    TooShort,

    /// <summary>AWS did not respond in time, or its response cannot be used.</summary>
    Unavailable,

    /// <summary>The gateway has no credentials of its own that AWS accepts, for any request.</summary>
    Credentials,
}

/// <summary>
/// Credentials or an endpoint are not available. The message is for operators; callers get a 503. It has no inner exception: one of the SDK's can carry the
/// response that it could not read, and with it the credentials.
/// </summary>
public sealed class VendingException(FailureClass failure, string message, TimeSpan? retryAfter = null) : Exception(message)
{
    /// <summary>The class of the failure.</summary>
    public FailureClass Failure { get; } = failure;

    /// <summary>The time during which a retry is pointless.</summary>
    public TimeSpan RetryAfter { get; } = retryAfter ?? failure switch
    {
        FailureClass.Throttled => TimeSpan.FromSeconds(1),
        FailureClass.Refused => TimeSpan.FromSeconds(30),
        FailureClass.TooShort => TimeSpan.FromSeconds(60),
        _ => TimeSpan.FromSeconds(2),
    };
}
