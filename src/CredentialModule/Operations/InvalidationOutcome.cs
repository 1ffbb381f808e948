namespace IotCredentials.Operations;

/// <summary>What became of an operator's request to invalidate an organization.</summary>
public enum InvalidationOutcome
{
    /// <summary>Nothing was invalidated.</summary>
    Refused,

    /// <summary>The organization was invalidated in this replica only: the others could not be reached.</summary>
    DoneHereOnly,

    /// <summary>The organization was invalidated in every replica.</summary>
    Done,
}
