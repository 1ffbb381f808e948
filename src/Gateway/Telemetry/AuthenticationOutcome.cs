namespace Gateway.Telemetry;

/// <summary>What became of a request's token or API key.</summary>
internal enum AuthenticationOutcome
{
    Accepted,

    /// <summary>401.</summary>
    Refused,

    /// <summary>429: the client's address is locked out.</summary>
    LockedOut,

    /// <summary>503: it cannot be judged.</summary>
    Unavailable,
}
