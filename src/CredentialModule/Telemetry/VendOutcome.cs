namespace IotCredentials.Telemetry;

/// <summary>The source of the credentials in a response.</summary>
internal enum VendOutcome
{
    /// <summary>This process's memory.</summary>
    L1,

    /// <summary>Redis: this or another replica vended it before.</summary>
    Redis,

    /// <summary>A call to STS that this response waited for.</summary>
    Sts,

    /// <summary>The cache, below the required lifetime, because STS fails.</summary>
    Degraded,
}
