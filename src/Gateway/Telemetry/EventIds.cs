namespace Gateway.Telemetry;

/// <summary>The gateway's log events: 100 to 199. Those of the plugin are 1 to 99.</summary>
internal static class EventIds
{
    public const int ManagementListening = 101;
    public const int LimitsFallback = 102;
    public const int LimitsRestored = 103;
    public const int LimitNotCounted = 104;
    public const int LimitFull = 105;
    public const int ConfigurationApplied = 106;
    public const int ConfigurationRefused = 107;
    public const int ConfigurationWarning = 108;
    public const int ConfigurationFailed = 109;
    public const int ForwardingFailed = 110;
    public const int NoDestination = 111;
    public const int CertificateRenewed = 112;
    public const int CertificateKept = 113;
    public const int KeysNotRead = 114;
    public const int KeysReadAgain = 115;
    public const int KeysRead = 116;
    public const int ClientLockedOut = 117;
    public const int CredentialRefused = 118;
    public const int IntrospectionLost = 119;
    public const int IntrospectionRestored = 120;
    public const int DestinationUnhealthy = 121;
    public const int DestinationHealthy = 122;
    public const int DestinationDropped = 123;
    public const int ConfigurationRead = 140;
    public const int ConnectionRefused = 145;
    public const int FewFileDescriptors = 146;
    public const int ConfigurationUncertain = 150;
    public const int LogEntriesLost = 160;
    public const int LogFileFailed = 161;
    public const int LogFileRestored = 162;
    public const int LogOutputFailed = 163;
    public const int AwsIdentityNotRenewed = 170;
    public const int AwsIdentityRenewed = 171;
    public const int ServiceDocumentNotRead = 180;
    public const int ServiceDocumentRead = 181;
    public const int CollectorLost = 190;
    public const int CollectorRestored = 191;
}
