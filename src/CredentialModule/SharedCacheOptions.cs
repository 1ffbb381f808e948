namespace IotCredentials;

/// <summary>
/// The Redis that replicas share vended credentials through, and the keys that seal them. Default: <c>ConnectionStrings:Redis</c> and <c>Sealing:KeyPath</c> of
/// the host's configuration; what the host's code configures takes precedence.
/// </summary>
public sealed class SharedCacheOptions
{
    /// <summary>A StackExchange.Redis connection string. If it is null, nothing is shared and every process vends for itself.</summary>
    public string? Redis { get; set; }

    /// <summary>The file of the sealing keys, relative to the content root or absolute. Required with <see cref="Redis"/>.</summary>
    public string? SealingKeyPath { get; set; }

    /// <summary>
    /// The timeout of one command: short enough for a cold vend to wait for it twice and still reach STS in time, long enough that a busy machine is not
    /// mistaken for a Redis that is gone, which costs a second call to STS.
    /// </summary>
    internal static TimeSpan CommandTimeout(IotCredentialsOptions module) =>
        module.Timeout / 5 < TimeSpan.FromSeconds(1) ? module.Timeout / 5 : TimeSpan.FromSeconds(1);
}
