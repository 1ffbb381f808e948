namespace Gateway.Telemetry;

/// <summary>The register of the gateway's log events.</summary>
internal static class EventIds
{
    public const int ManagementListening = 1;
    public const int LimitsApart = 2;
    public const int LimitsTogether = 3;
    public const int LimitNotCounted = 4;
    public const int Access = 5;
    public const int ConfigurationApplied = 6;
    public const int ConfigurationRefused = 7;
    public const int ConfigurationWarning = 8;
    public const int ConfigurationFailed = 9;
    public const int ForwardingFailed = 10;
    public const int NoDestination = 11;
    public const int CertificateRenewed = 12;
    public const int CertificateKept = 13;
    public const int KeysNotRead = 14;
    public const int KeysReadAgain = 15;
    public const int KeysRead = 16;
    public const int ClientLockedOut = 17;
    public const int ConfigurationRead = 40;
    public const int ConnectionRefused = 45;
    public const int LogEntriesLost = 60;
    public const int ConfigurationUncertain = 50;
}
