using System.Diagnostics;
using IotCredentials.Telemetry;
using Microsoft.Extensions.Logging;

namespace IotCredentials.Vending;

/// <summary>
/// The category <c>IotCredentials.Audit</c>: one event for every response with credentials that was sent, in whole or in part, with the access key id that
/// links it to CloudTrail, and one for every request to invalidate an organization's credentials.
/// </summary>
internal sealed partial class AuditTrail(ILoggerFactory loggers)
{
    public const string Category = "IotCredentials.Audit";

    private readonly ILogger _logger = loggers.CreateLogger(Category);

    /// <param name="caller">The caller.</param>
    /// <param name="profile">The profile that the credentials were vended with.</param>
    /// <param name="vended">The credentials.</param>
    /// <param name="isDelivered">Whether the response was written to its end.</param>
    /// <param name="requestId">The host's id of the request: its <c>HttpContext.TraceIdentifier</c>.</param>
    public void Vended(CallerClaims caller, string profile, Vended vended, bool isDelivered, string requestId)
    {
        if (!_logger.IsEnabled(LogLevel.Information)) return;
        Log.Vended(
            _logger, OneLine(caller.Issuer), OneLine(caller.Subject), vended.Credentials.OrganizationId, profile, vended.Credentials.AccessKeyId,
            vended.Credentials.Expiration, vended.Outcome, requestId, isDelivered, Activity.Current?.TraceId.ToHexString());
    }

    /// <summary>Logs an operator's request to invalidate an organization's credentials, carried out or refused.</summary>
    /// <param name="caller">The operator, as the token names it.</param>
    /// <param name="organization">The organization as it was requested.</param>
    /// <param name="status">The response's status: 204 if every replica is covered, 503 if only this one is, any other if the request was refused.</param>
    /// <param name="requestId">The host's id of the request.</param>
    public void CacheInvalidated(CallerClaims caller, string organization, int status, string requestId)
    {
        if (!_logger.IsEnabled(LogLevel.Information)) return;
        var outcome = status switch { 204 => "Done", 503 => "DoneHereOnly", _ => "Refused" };
        Log.Invalidated(
            _logger, OneLine(caller.Issuer), OneLine(caller.Subject), OneLine(organization), outcome, status, requestId,
            Activity.Current?.TraceId.ToHexString());
    }

    // Escapes a text that holds anything but printable ASCII without spaces: a subject must not be able to begin a log line or a field.
    private static string? OneLine(string? text) => text is not null && text.AsSpan().ContainsAnyExceptInRange('!', '~') ? Uri.EscapeDataString(text) : text;

    private static partial class Log
    {
        [LoggerMessage(EventIds.AuditInvalidation, LogLevel.Information,
            "Invalidate credentials: issuer {Issuer} subject {Subject} organization {Organization} outcome {Outcome} status {Status} "
            + "request {RequestId} trace {TraceId}",
            EventName = nameof(EventIds.AuditInvalidation))]
        public static partial void Invalidated(
            ILogger logger, string? issuer, string? subject, string? organization, string outcome, int status, string requestId, string? traceId);

        [LoggerMessage(EventIds.Audit, LogLevel.Information,
            "Vended: issuer {Issuer} subject {Subject} organization {Organization} profile {Profile} accessKeyId {AccessKeyId} expiration {Expiration:O} "
            + "outcome {Outcome} request {RequestId} delivered {Delivered} trace {TraceId}",
            EventName = nameof(EventIds.Audit))]
        public static partial void Vended(
            ILogger logger, string? issuer, string? subject, string organization, string profile, string accessKeyId, DateTimeOffset expiration,
            VendOutcome outcome, string requestId, bool delivered, string? traceId);
    }
}
