using System.Buffers;
using System.Security.Claims;
using IotCredentials.Caching;
using IotCredentials.Failures;
using IotCredentials.OrganizationDirectory;
using IotCredentials.Telemetry;
using IotCredentials.Vending;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace IotCredentials.Http;

/// <summary>
/// Serves a module route in process. It does not rely on the host's pipeline: it checks again whether this caller may have this organization.
/// </summary>
internal sealed class CredentialEndpoint(
    OrganizationLocator locator, VendContextFactory contexts, CredentialVendor vendor, IotDataEndpointResolver endpoints, CredentialMetrics metrics,
    AuditTrail audit, IOptions<IotCredentialsOptions> options, TimeProvider time, ILogger<CredentialEndpoint> logger)
{
    private static readonly TimeSpan s_logInterval = TimeSpan.FromMinutes(1);

    // A profile comes back only by a change of the configuration.
    private static readonly TimeSpan s_retryUnknownProfile = TimeSpan.FromMinutes(1);

    private static readonly OrganizationAccessRequirement[] s_access = [OrganizationAccessRequirement.Instance];

    private readonly LogInterval _pipelineProblems = new(s_logInterval, time);
    private readonly LogInterval _anonymousCallers = new(s_logInterval, time);
    private readonly LogInterval _unknownCallers = new(s_logInterval, time);
    private readonly LogInterval _unknownProfiles = new(s_logInterval, time);

    public async Task InvokeAsync(HttpContext context, string profileName, CredentialQueryRule rule)
    {
        var endpoint = context.GetEndpoint()!;
        if (PipelineOrder.ProblemOf(context, endpoint) is { } problem)
        {
            if (_pipelineProblems.IsDue()) Log.PipelineRefused(logger, endpoint.DisplayName, problem);
            await ErrorResponse.WriteAsync(context, StatusCodes.Status500InternalServerError);
            return;
        }

        if (endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null
            || (endpoint.Metadata.GetMetadata<IAuthorizeData>() is null && endpoint.Metadata.GetMetadata<AuthorizationPolicy>() is null))
        {
            Log.NoPolicy(logger, endpoint.DisplayName);
            await ErrorResponse.WriteAsync(context, StatusCodes.Status403Forbidden, ErrorReason.NoPolicy);
            return;
        }

        // A policy or a handler of the host may let anonymous callers through. They get no credentials.
        if (context.User.Identity is not { IsAuthenticated: true } && !context.User.Identities.Any(static identity => identity.IsAuthenticated))
        {
            if (_anonymousCallers.IsDue()) Log.CallerAnonymous(logger, endpoint.DisplayName);
            context.Response.Headers.WWWAuthenticate = "Bearer";
            await ErrorResponse.WriteAsync(context, StatusCodes.Status401Unauthorized, ErrorReason.NoToken);
            return;
        }

        if (rule.Read(context, out var request) is { } refusal)
        {
            if (refusal == StatusCodes.Status503ServiceUnavailable) OnUnknownProfile(context, endpoint, profileName);
            await ErrorResponse.WriteAsync(context, refusal);
            return;
        }

        var authorization = context.RequestServices.GetRequiredService<IAuthorizationService>();
        if (!(await authorization.AuthorizeAsync(context.User, request.Organization, s_access)).Succeeded)
        {
            await ErrorResponse.WriteAsync(context, StatusCodes.Status403Forbidden, ErrorReason.Organization);
            return;
        }

        try
        {
            var work = VendAsync(request, context.User, context.RequestAborted);
            var (found, endpointFound, isUnknown) = work.IsCompletedSuccessfully ? work.Result
                : await work.AsTask().ObserveException().WaitAsync(options.Value.Timeout, context.RequestAborted);
            var caller = CallerClaims.Of(context.User);
            if (found is not { } vended)
            {
                if (!isUnknown && _unknownCallers.IsDue()) Log.CallerRefused(logger, endpoint.DisplayName, caller.Problem);
                await ErrorResponse.WriteAsync(context, StatusCodes.Status403Forbidden, isUnknown ? ErrorReason.OrganizationUnknown : ErrorReason.CallerClaims);
                return;
            }

            metrics.Vended(vended.Outcome, profileName, vended.Credentials.Expiration - time.GetUtcNow());
            if (caller is not { Issuer: not null, Subject: not null } && _unknownCallers.IsDue())
                Log.CallerUnknown(logger, endpoint.DisplayName, caller.Problem);
            await WriteAsync(context, endpointFound!, caller, profileName, vended);
        }
        catch (Exception e) when (e is VendingException or TimeoutException)
        {
            var failure = e as VendingException ?? new VendingException(FailureClass.Unavailable, "no response within IotCredentials:Timeout");
            metrics.Failed(failure.Failure, profileName);
            ErrorResponse.SetRetryAfter(context.Response, failure.RetryAfter);
            var reason = e is TimeoutException ? ErrorReason.VendTimeout : ReasonOf(failure.Failure);
            await ErrorResponse.WriteAsync(context, StatusCodes.Status503ServiceUnavailable, reason);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested && !IsOutOfTime(context))
        {
            // The client has disconnected. The work continues for the other callers.
        }
    }

    /// <summary>
    /// Finds where the organization lives, and gets credentials and endpoint concurrently. They are null if the directory does not know the organization, or if
    /// sessions are per caller and the caller cannot be identified.
    /// </summary>
    private async ValueTask<(Vended? Vended, CachedIotDataEndpoint? Endpoint, bool IsUnknown)> VendAsync(
        CredentialQuery request, ClaimsPrincipal caller, CancellationToken cancellation)
    {
        // The caller has been authorized: the directory is never asked for anybody else.
        if ((request.Profile.Located ?? await locator.FindAsync(request.Profile, request.Organization, caller)) is not { } profile) return (null, null, true);
        if (await contexts.CreateAsync(profile, request.Organization, caller) is not { } context) return (null, null, false);
        var search = endpoints.FindAsync(profile);
        var searching = search.IsCompletedSuccessfully ? null : search.AsTask().ObserveException();
        var vended = await vendor.VendAsync(context, LifetimeRequirement.Of(context, request.Minimum), caller, cancellation);
        return (vended, searching is null ? search.Result : await searching, false);
    }

    private void OnUnknownProfile(HttpContext context, Endpoint endpoint, string profileName)
    {
        if (_unknownProfiles.IsDue()) Log.ProfileUnknown(logger, endpoint.DisplayName, profileName);
        metrics.Failed(FailureClass.Unavailable, profileName);
        ErrorResponse.SetRetryAfter(context.Response, s_retryUnknownProfile);
    }

    private static string ReasonOf(FailureClass failure) => failure switch
    {
        FailureClass.Throttled => ErrorReason.VendThrottled,
        FailureClass.Refused => ErrorReason.VendRefused,
        FailureClass.TooShort => ErrorReason.VendTooShort,
        FailureClass.Credentials => ErrorReason.VendCredentials,
        _ => ErrorReason.VendUnavailable,
    };

    // True if the route's own Timeout ended the request: it uses the same token. The timeout middleware responds with 504 when the cancellation reaches it.
    private static bool IsOutOfTime(HttpContext context) =>
        context.Features.Get<IHttpRequestTimeoutFeature>()?.RequestTimeoutToken.IsCancellationRequested == true;

    /// <summary>
    /// Writes the response, and then the audit record. There is no record if the response could not start. The record says not delivered if the client
    /// disconnected before the last byte.
    /// </summary>
    private async ValueTask WriteAsync(HttpContext context, CachedIotDataEndpoint endpoint, CallerClaims caller, string profileName, Vended vended)
    {
        var (response, credentials) = (context.Response, vended.Credentials);
        response.ContentType = "application/json";
        response.Headers.CacheControl = "no-store";
        response.Headers.XContentTypeOptions = "nosniff";
        response.ContentLength = endpoint.Response.Length + credentials.Response.Length + CredentialResponse.Closing.Length;
        // Start the response before writing the body, so that an error response cannot include any of it.
        await response.StartAsync(context.RequestAborted);
        var isDelivered = false;
        try
        {
            response.BodyWriter.Write(endpoint.Response);
            response.BodyWriter.Write(credentials.Response);
            response.BodyWriter.Write(CredentialResponse.Closing);
            // A host's middleware can have replaced the body, as HTTP logging does: its CompleteAsync leaves behind what was not flushed.
            await response.BodyWriter.FlushAsync(context.RequestAborted);
            await response.CompleteAsync();
            isDelivered = !context.RequestAborted.IsCancellationRequested;
        }
        finally
        {
            audit.Vended(caller, profileName, vended, isDelivered, context.TraceIdentifier);
        }
    }
}
