namespace Gateway.Telemetry;

/// <summary>The register of the gateway's log events.</summary>
internal static class EventIds
{
    public const int ManagementListening = 1;
    public const int LimitsApart = 2;
    public const int LimitsTogether = 3;
    public const int LimitNotCounted = 4;
    public const int Access = 5;
}
