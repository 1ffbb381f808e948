namespace CredentialModule.Vending;

/// <summary>Why credentials could not be had.</summary>
internal enum FailureClass
{
    /// <summary>AWS asked for fewer calls.</summary>
    Throttled,

    /// <summary>AWS denied the call or could not read it: an operator has to change something.</summary>
    Refused,

    /// <summary>AWS granted a session that ends before what the profile promises: an operator has to change something.</summary>
    TooShort,

    /// <summary>AWS did not answer in time, or not in a way that can be used.</summary>
    Unavailable,

    /// <summary>The gateway has no credentials of its own that AWS takes, whatever is asked of it.</summary>
    Credentials,
}

/// <summary>
/// Credentials or an endpoint could not be had. The message is for operators; callers get a 503. It wraps no other exception: one of the SDK's
/// can carry the answer that it could not read, and with it the credentials.
/// </summary>
internal sealed class VendingException(FailureClass failure, string message, TimeSpan? retryAfter = null) : Exception(message)
{
    public FailureClass Failure { get; } = failure;

    /// <summary>How long there is no sense in asking again.</summary>
    public TimeSpan RetryAfter { get; } = retryAfter ?? failure switch
    {
        FailureClass.Throttled => TimeSpan.FromSeconds(1),
        FailureClass.Refused => TimeSpan.FromSeconds(30),
        FailureClass.TooShort => TimeSpan.FromSeconds(60),
        _ => TimeSpan.FromSeconds(2),
    };
}
