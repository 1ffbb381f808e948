using System.Diagnostics;
using CredentialModule.Telemetry;
using Microsoft.Extensions.Logging;

namespace CredentialModule.Vending;

/// <summary>One event for every response with credentials that was sent, in whole or in part, under the category <c>IotCredentials.Audit</c>: who got which, and from where. The access key id joins it to CloudTrail.</summary>
internal sealed partial class AuditTrail(ILoggerFactory loggers)
{
    public const string Category = "IotCredentials.Audit";

    private readonly ILogger _logger = loggers.CreateLogger(Category);

    /// <param name="caller">The caller.</param>
    /// <param name="profile">The profile that was vended by.</param>
    /// <param name="vended">The credentials.</param>
    /// <param name="isDelivered">Whether the response was written to its end.</param>
    /// <param name="requestId">The host's id of the request: its <c>HttpContext.TraceIdentifier</c>.</param>
    public void Vended(VendCaller caller, string profile, Vended vended, bool isDelivered, string requestId)
    {
        if (!_logger.IsEnabled(LogLevel.Information)) return;
        Log.Vended(
            _logger, OneLine(caller.Issuer), OneLine(caller.Subject), vended.Credentials.OrganizationId, profile, vended.Credentials.AccessKeyId, vended.Credentials.Expiration, vended.Outcome,
            requestId, isDelivered, Activity.Current?.TraceId.ToHexString());
    }

    // Whatever its issuer put into a subject, it must begin no line and no field of its own.
    private static string? OneLine(string? text) => text is not null && text.AsSpan().ContainsAnyExceptInRange('!', '~') ? Uri.EscapeDataString(text) : text;

    private static partial class Log
    {
        [LoggerMessage(EventIds.Audit, LogLevel.Information,
            "Vended: issuer {Issuer} subject {Subject} organization {Organization} profile {Profile} accessKeyId {AccessKeyId} expiration {Expiration:O} outcome {Outcome} request {RequestId} delivered {Delivered} trace {TraceId}")]
        public static partial void Vended(
            ILogger logger, string? issuer, string? subject, string organization, string profile, string accessKeyId, DateTimeOffset expiration, VendOutcome outcome,
            string requestId, bool delivered, string? traceId);
    }
}
