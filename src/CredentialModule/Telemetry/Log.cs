using IotCredentials.Failures;
using Microsoft.Extensions.Logging;

namespace IotCredentials.Telemetry;

/// <summary>
/// The plugin's log messages, by their numbers. They are in one class because the generator of these methods takes classes in an order that differs from one
/// build to another, and the package must be the same each time.
/// </summary>
internal static partial class Log
{
    [LoggerMessage(EventIds.RedisLost, LogLevel.Warning,
        "Redis at {EndPoint} cannot be used: {Cause}. Credentials are not shared between replicas until it works again",
        EventName = nameof(EventIds.RedisLost))]
    public static partial void RedisLost(ILogger logger, string endPoint, string cause);

    [LoggerMessage(EventIds.RedisRestored, LogLevel.Information, "Redis at {EndPoint} works again, after {Seconds} s",
        EventName = nameof(EventIds.RedisRestored))]
    public static partial void RedisRestored(ILogger logger, string endPoint, long seconds);

    [LoggerMessage(EventIds.LockUnavailable, LogLevel.Debug, "Redis did not respond for a lock; this replica calls AWS without it ({Kind})",
        EventName = nameof(EventIds.LockUnavailable))]
    public static partial void LockUnavailable(ILogger logger, string kind);

    [LoggerMessage(EventIds.EntryRefused, LogLevel.Error,
        "Security: the entry {RedisKey} in Redis is not what this gateway sealed under that key (moved, edited or forged). It was not used",
        EventName = nameof(EventIds.EntryRefused))]
    public static partial void EntryRefused(ILogger logger, string redisKey);

    [LoggerMessage(EventIds.NothingShared, LogLevel.Warning,
        "ConnectionStrings:Redis is not set: credentials are cached in this process only and not shared between replicas",
        EventName = nameof(EventIds.NothingShared))]
    public static partial void NothingShared(ILogger logger);

    [LoggerMessage(EventIds.AssumeRoleFailed, LogLevel.Error, "The role {Role} could not be assumed ({Failure}): {Cause}",
        EventName = nameof(EventIds.AssumeRoleFailed))]
    public static partial void AssumeRoleFailed(ILogger logger, string role, FailureClass failure, string cause);

    [LoggerMessage(EventIds.GrantBelowFloor, LogLevel.Error,
        "STS granted a session of {Role} of {Granted} s, below the {Floor} s that its profile requires: callers get 503. "
        + "Lengthen the role's maximum session or lower MinimumLifetime",
        EventName = nameof(EventIds.GrantBelowFloor))]
    public static partial void GrantBelowFloor(ILogger logger, string role, double granted, double floor);

    [LoggerMessage(EventIds.ServedDegraded, LogLevel.Warning,
        "STS fails; {Organization} is served credentials of {Role} with {Left} s left, less than its profile requires",
        EventName = nameof(EventIds.ServedDegraded))]
    public static partial void ServedDegraded(ILogger logger, string organization, string role, double left);

    [LoggerMessage(EventIds.RenewalFailed, LogLevel.Warning,
        "The credentials of {Organization} for {Role} could not be renewed yet ({Cause}); the cached ones are still used",
        EventName = nameof(EventIds.RenewalFailed))]
    public static partial void RenewalFailed(ILogger logger, string organization, string role, string cause);

    [LoggerMessage(EventIds.ReloadRefused, LogLevel.Error, "A change of IotCredentials is not used: {Problem}", EventName = nameof(EventIds.ReloadRefused))]
    public static partial void ReloadRefused(ILogger logger, string problem);

    [LoggerMessage(EventIds.NoPolicy, LogLevel.Error,
        "The route {Route} responds with 403: it names no authorization policy, and credentials are not vended without one. "
        + "Give the route an AuthorizationPolicy",
        EventName = nameof(EventIds.NoPolicy))]
    public static partial void NoPolicy(ILogger logger, string? route);

    [LoggerMessage(EventIds.ProfileUnknown, LogLevel.Error,
        "The route {Route} responds with 503: IotCredentials:Profiles no longer has {Profile}. Add the profile again, or write another into the route's Metadata",
        EventName = nameof(EventIds.ProfileUnknown))]
    public static partial void ProfileUnknown(ILogger logger, string? route, string profile);

    [LoggerMessage(EventIds.EndpointFailed, LogLevel.Error, "The AWS IoT endpoint in {Region} could not be found out ({Failure}): {Cause}",
        EventName = nameof(EventIds.EndpointFailed))]
    public static partial void EndpointFailed(ILogger logger, string region, FailureClass failure, string cause);

    [LoggerMessage(EventIds.InvalidatedHereOnly, LogLevel.Error,
        "The credentials of {Organization} are invalidated here, but Redis could not be updated ({Kind}): repeat the DELETE, other replicas may still serve "
        + "them",
        EventName = nameof(EventIds.InvalidatedHereOnly))]
    public static partial void InvalidatedHereOnly(ILogger logger, string organization, string kind);

    [LoggerMessage(EventIds.Audit, LogLevel.Information,
        "Vended: issuer {Issuer} subject {Subject} organization {Organization} profile {Profile} accessKeyId {AccessKeyId} expiration {Expiration:O} "
        + "outcome {Outcome} request {RequestId} delivered {Delivered} trace {TraceId}",
        EventName = nameof(EventIds.Audit))]
    public static partial void Audit(
        ILogger logger, string? issuer, string? subject, string organization, string profile, string accessKeyId, DateTimeOffset expiration,
        VendOutcome outcome, string requestId, bool delivered, string? traceId);

    [LoggerMessage(EventIds.IdentityUnknown, LogLevel.Error,
        "The gateway's AWS identity cannot be determined ({Failure}): {Cause}. Nothing is vended until it is: "
        + "check the credentials that the AWS SDK finds",
        EventName = nameof(EventIds.IdentityUnknown))]
    public static partial void IdentityUnknown(ILogger logger, FailureClass failure, string cause);

    [LoggerMessage(EventIds.CallerRefused, LogLevel.Error,
        "The route {Route} responds with 403: its profile has \"Scope\": \"User\", and {Problem}",
        EventName = nameof(EventIds.CallerRefused))]
    public static partial void CallerRefused(ILogger logger, string? route, string? problem);

    [LoggerMessage(EventIds.CallerUnknown, LogLevel.Error, "The route {Route} vends to callers that the audit cannot name: {Problem}",
        EventName = nameof(EventIds.CallerUnknown))]
    public static partial void CallerUnknown(ILogger logger, string? route, string? problem);

    [LoggerMessage(EventIds.CallerAnonymous, LogLevel.Error,
        "The route {Route} responds with 401 to callers whom no authentication scheme has authenticated, and its policy lets them through. "
        + "Add RequireAuthenticatedUser() to the policy",
        EventName = nameof(EventIds.CallerAnonymous))]
    public static partial void CallerAnonymous(ILogger logger, string? route);

    [LoggerMessage(EventIds.AuthenticationTooLate, LogLevel.Error,
        "The route {Route} responds with 401 to every caller: the pipeline authorizes before it authenticates. "
        + "Write app.UseAuthentication() before app.UseAuthorization()",
        EventName = nameof(EventIds.AuthenticationTooLate))]
    public static partial void AuthenticationTooLate(ILogger logger, string? route);

    [LoggerMessage(EventIds.PipelineRefused, LogLevel.Error, "The route {Route} responds with 500: {Problem}",
        EventName = nameof(EventIds.PipelineRefused))]
    public static partial void PipelineRefused(ILogger logger, string? route, string problem);

    [LoggerMessage(EventIds.RedisNotExamined, LogLevel.Warning, "The cause of the Redis problem at {EndPoint} cannot be determined: {Kind}",
        EventName = nameof(EventIds.RedisNotExamined))]
    public static partial void RedisNotExamined(ILogger logger, string endPoint, string kind);

    [LoggerMessage(EventIds.LockOverridden, LogLevel.Warning,
        "The lock {Key} in Redis was held for longer than a replica holds one, and this replica went on without it. Another replica is very slow, "
        + "Redis failed over to a node whose clock is behind, or another client writes to Redis. Logged once a minute",
        EventName = nameof(EventIds.LockOverridden))]
    public static partial void LockOverridden(ILogger logger, string key);

    [LoggerMessage(EventIds.GenerationsRefused, LogLevel.Error,
        "Security: {Count} of the fields of {RedisKey} in Redis are not what this gateway sealed there (moved, edited or forged), or are too many. "
        + "They were not used",
        EventName = nameof(EventIds.GenerationsRefused))]
    public static partial void GenerationsRefused(ILogger logger, int count, string redisKey);

    [LoggerMessage(
        EventIds.GenerationsUnreadable,
        LogLevel.Warning,
        "{Count} of the fields of {RedisKey} in Redis are sealed with a key that this replica does not have: what is invalidated by replicas with that key is not "
        + "invalidated here. Give all replicas the same keys in Sealing:KeyPath, and then repeat each DELETE",
        EventName = nameof(EventIds.GenerationsUnreadable))]
    public static partial void GenerationsUnreadable(ILogger logger, int count, string redisKey);

    [LoggerMessage(EventIds.RedisReconnects, LogLevel.Information,
        "The node that the gateway writes to is a replica now: it connects to Redis at {EndPoint} again",
        EventName = nameof(EventIds.RedisReconnects))]
    public static partial void RedisReconnects(ILogger logger, string endPoint);

    [LoggerMessage(EventIds.RedisNotClosed, LogLevel.Debug, "The connection to Redis could not be closed cleanly: {Kind}",
        EventName = nameof(EventIds.RedisNotClosed))]
    public static partial void RedisNotClosed(ILogger logger, string kind);

    [LoggerMessage(EventIds.AuditInvalidation, LogLevel.Information,
        "Invalidate credentials: issuer {Issuer} subject {Subject} organization {Organization} outcome {Outcome} status {Status} "
        + "request {RequestId} trace {TraceId}",
        EventName = nameof(EventIds.AuditInvalidation))]
    public static partial void AuditInvalidation(
        ILogger logger, string? issuer, string? subject, string? organization, string outcome, int status, string requestId, string? traceId);

    [LoggerMessage(EventIds.StaleEntriesNotDeleted, LogLevel.Error,
        "The credentials of {Organization} are invalidated, but earlier entries could not be deleted from Redis ({Kind}). "
        + "It is tried again, and no replica serves it; see that the gateway's user in Redis may SCAN and UNLINK",
        EventName = nameof(EventIds.StaleEntriesNotDeleted))]
    public static partial void StaleEntriesNotDeleted(ILogger logger, string organization, string kind);

    [LoggerMessage(EventIds.DirectoryCallFailed, LogLevel.Warning,
        "The directory could not say where {Organization} lives: {Cause}. Its earlier responses are still used for Directory:StaleFor; else callers get 503",
        EventName = nameof(EventIds.DirectoryCallFailed))]
    public static partial void DirectoryCallFailed(ILogger logger, string organization, string cause);

    [LoggerMessage(EventIds.DirectoryLost, LogLevel.Error,
        "The directory {Address} keeps failing: {Cause}. Its earlier responses are still used for Directory:StaleFor; other organizations get 503",
        EventName = nameof(EventIds.DirectoryLost))]
    public static partial void DirectoryLost(ILogger logger, string address, string cause);

    [LoggerMessage(EventIds.DirectoryRestored, LogLevel.Information, "The directory {Address} responds again, after {Seconds} s",
        EventName = nameof(EventIds.DirectoryRestored))]
    public static partial void DirectoryRestored(ILogger logger, string address, double seconds);

    [LoggerMessage(EventIds.DirectoryResponseRefused, LogLevel.Error,
        "Security: the directory's response for {Organization} is rejected: {Cause}. Callers get 503",
        EventName = nameof(EventIds.DirectoryResponseRefused))]
    public static partial void DirectoryResponseRefused(ILogger logger, string organization, string cause);

    [LoggerMessage(EventIds.StsCircuitOpened, LogLevel.Warning,
        "STS in {Region} keeps failing ({Failure}) and is called once in 5 s: cached credentials are still served; other requests get 503",
        EventName = nameof(EventIds.StsCircuitOpened))]
    public static partial void StsCircuitOpened(ILogger logger, string region, FailureClass failure);

    [LoggerMessage(EventIds.CredentialsRefused, LogLevel.Error,
        "The gateway has no credentials that AWS accepts: {Cause}. Nothing new is vended{Where} until it has; cached credentials are still served",
        EventName = nameof(EventIds.CredentialsRefused))]
    public static partial void CredentialsRefused(ILogger logger, string cause, string where);

    [LoggerMessage(EventIds.CredentialsTaken, LogLevel.Information, "AWS accepts the gateway's credentials again, after {Seconds} s",
        EventName = nameof(EventIds.CredentialsTaken))]
    public static partial void CredentialsTaken(ILogger logger, long seconds);

    [LoggerMessage(EventIds.StsCircuitClosed, LogLevel.Information, "STS in {Region} responds again, after {Seconds} s",
        EventName = nameof(EventIds.StsCircuitClosed))]
    public static partial void StsCircuitClosed(ILogger logger, string region, long seconds);
}
