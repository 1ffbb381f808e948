using System.Diagnostics;
using IotCredentials.Telemetry;
using Microsoft.Extensions.Logging;

namespace IotCredentials.Vending;

/// <summary>
/// The category <c>IotCredentials.Audit</c>: one event for every response with credentials that was sent, in whole or in part, with the access key id that
/// links it to CloudTrail, and one for every request to invalidate an organization's credentials.
/// </summary>
internal sealed class AuditTrail(ILoggerFactory loggers)
{
    public const string Category = "IotCredentials.Audit";

    // Longer than any organization id.
    private const int LongestOrganization = 128;

    private readonly ILogger _logger = loggers.CreateLogger(Category);

    /// <param name="caller">The caller.</param>
    /// <param name="profile">The profile that the credentials were vended with.</param>
    /// <param name="vended">The credentials.</param>
    /// <param name="isDelivered">Whether the response was written to its end.</param>
    /// <param name="requestId">The host's id of the request: its <c>HttpContext.TraceIdentifier</c>.</param>
    public void Vended(CallerClaims caller, string profile, Vended vended, bool isDelivered, string requestId)
    {
        if (!_logger.IsEnabled(LogLevel.Information)) return;
        Log.Audit(
            _logger, OneLine(caller.Issuer), OneLine(caller.Subject), vended.Credentials.OrganizationId, profile, vended.Credentials.AccessKeyId,
            vended.Credentials.Expiration, vended.Outcome, requestId, isDelivered, Activity.Current?.TraceId.ToHexString());
    }

    /// <summary>Logs an operator's request to invalidate an organization's credentials, carried out or refused.</summary>
    /// <param name="caller">The operator, as the token names it.</param>
    /// <param name="organization">The organization as it was requested.</param>
    /// <param name="outcome">What became of it.</param>
    /// <param name="status">The response's status.</param>
    /// <param name="requestId">The host's id of the request.</param>
    public void CacheInvalidated(CallerClaims caller, string organization, string outcome, int status, string requestId)
    {
        if (!_logger.IsEnabled(LogLevel.Information)) return;
        Log.AuditInvalidation(
            _logger, OneLine(caller.Issuer), OneLine(caller.Subject),
            OneLine(organization[..Math.Min(organization.Length, LongestOrganization)]), outcome, status, requestId,
            Activity.Current?.TraceId.ToHexString());
    }

    // Escapes a text that holds anything but printable ASCII without spaces: a subject must not be able to begin a log line or a field.
    private static string? OneLine(string? text) => text is not null && text.AsSpan().ContainsAnyExceptInRange('!', '~') ? Uri.EscapeDataString(text) : text;
}
