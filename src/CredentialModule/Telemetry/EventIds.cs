namespace IotCredentials.Telemetry;

/// <summary>The plugin's log events: 1 to 99.</summary>
internal static class EventIds
{
    public const int RedisLost = 1;
    public const int RedisRestored = 2;
    public const int LockUnavailable = 3;
    public const int EntryRefused = 4;
    public const int NothingShared = 5;
    public const int AssumeRoleFailed = 6;
    public const int GrantBelowFloor = 7;
    public const int ServedDegraded = 8;
    public const int RenewalFailed = 9;
    public const int ReloadRefused = 10;
    public const int NoPolicy = 11;
    public const int EndpointFailed = 12;
    public const int InvalidatedHereOnly = 13;
    public const int Audit = 14;
    public const int IdentityUnknown = 15;
    public const int CallerRefused = 16;
    public const int CallerUnknown = 17;
    public const int RedisNotExamined = 18;
    public const int LockOverridden = 19;
    public const int GenerationsRefused = 20;
    public const int RedisReconnects = 21;
    public const int RedisNotClosed = 22;
    public const int AuditInvalidation = 23;
    public const int StaleEntriesNotDeleted = 24;
    public const int DirectoryCallFailed = 25;
    public const int DirectoryLost = 26;
    public const int DirectoryRestored = 27;
    public const int DirectoryResponseRefused = 28;
    public const int StsCircuitOpened = 29;
    public const int CredentialsRefused = 30;
    public const int CredentialsTaken = 31;
    public const int StsCircuitClosed = 32;
    public const int GenerationsUnreadable = 33;
    public const int ProfileUnknown = 34;
    public const int CallerAnonymous = 35;
    public const int AuthenticationTooLate = 36;
    public const int PipelineRefused = 37;
}
