using System.Buffers;
using System.Globalization;
using System.Security.Claims;
using CredentialModule.Telemetry;
using CredentialModule.Vending;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace CredentialModule.Http;

/// <summary>Answers a module route in process. It trusts no host to have done its part: it asks again whether this caller may have this organization.</summary>
internal sealed partial class CredentialEndpoint(
    VendRequests requests, CredentialVendor vendor, EndpointDirectory endpoints, CredentialMetrics metrics, AuditTrail audit,
    IOptions<IotCredentialsOptions> options, TimeProvider time, ILogger<CredentialEndpoint> logger)
{
    private static readonly TimeSpan s_toldEvery = TimeSpan.FromMinutes(1);

    private static readonly OrganizationAccessRequirement[] s_access = [OrganizationAccessRequirement.Instance];

    private readonly LogInterval _unknownCallers = new(s_toldEvery, time);

    public async Task AnswerAsync(HttpContext context, string profileName, CredentialRequestRule rule)
    {
        var endpoint = context.GetEndpoint()!;
        if (endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null
            || (endpoint.Metadata.GetMetadata<IAuthorizeData>() is null && endpoint.Metadata.GetMetadata<AuthorizationPolicy>() is null))
        {
            Log.NoPolicy(logger, endpoint.DisplayName);
            await ErrorAnswer.WriteAsync(context, StatusCodes.Status403Forbidden);
            return;
        }

        if (rule.Read(context, out var request) is { } refusal)
        {
            await ErrorAnswer.WriteAsync(context, refusal);
            return;
        }

        var authorization = context.RequestServices.GetRequiredService<IAuthorizationService>();
        if (!(await authorization.AuthorizeAsync(context.User, request.Organization, s_access)).Succeeded)
        {
            await ErrorAnswer.WriteAsync(context, StatusCodes.Status403Forbidden);
            return;
        }

        try
        {
            var work = VendAsync(request, context.User, context.RequestAborted);
            var (found, endpointFound) = work.IsCompletedSuccessfully ? work.Result
                : await SingleFlight.Observed(work.AsTask()).WaitAsync(options.Value.Timeout, context.RequestAborted);
            var caller = VendCaller.Of(context.User);
            if (found is not { } vended)
            {
                if (_unknownCallers.IsDue()) Log.CallerRefused(logger, endpoint.DisplayName, caller.MissingClaims);
                await ErrorAnswer.WriteAsync(context, StatusCodes.Status403Forbidden);
                return;
            }

            metrics.Vended(vended.Outcome);
            if (caller is not { Issuer: not null, Subject: not null } && _unknownCallers.IsDue())
                Log.CallerUnknown(logger, endpoint.DisplayName, caller.MissingClaims);
            await WriteAsync(context, endpointFound!, caller, profileName, vended);
        }
        catch (Exception e) when (e is VendingException or TimeoutException)
        {
            var failure = e as VendingException ?? new VendingException(FailureClass.Unavailable, "no answer within IotCredentials:Timeout");
            metrics.Failed(failure.Failure);
            context.Response.Headers.RetryAfter = Math.Max(1, Math.Ceiling(failure.RetryAfter.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            await ErrorAnswer.WriteAsync(context, StatusCodes.Status503ServiceUnavailable);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested && !IsOutOfTime(context))
        {
            // Nobody is left to answer; what was under way goes on for the others.
        }
    }

    /// <summary>Credentials and endpoint, looked for side by side; no credentials where sessions are a caller's own and the caller has no name.</summary>
    private async ValueTask<(Vended? Vended, StoredEndpoint? Endpoint)> VendAsync(CredentialRequest request, ClaimsPrincipal caller, CancellationToken cancellation)
    {
        if (await requests.ForAsync(request.Profile, request.Organization, caller) is not { } inputs) return (null, null);
        var search = endpoints.FindAsync(request.Profile);
        var searching = search.IsCompletedSuccessfully ? null : SingleFlight.Observed(search.AsTask());
        var vended = await vendor.VendAsync(inputs, LifetimePromise.Of(inputs, request.Minimum), caller, cancellation);
        return (vended, searching is null ? search.Result : await searching);
    }

    // The route's own Timeout ends a request by the same token; whoever set it answers 504 when the cancellation gets there.
    private static bool IsOutOfTime(HttpContext context) => context.Features.Get<IHttpRequestTimeoutFeature>()?.RequestTimeoutToken.IsCancellationRequested == true;

    /// <summary>Writes the response, and then the audit record: none if it could not start, and one that is not delivered if the client left before its last byte.</summary>
    private async ValueTask WriteAsync(HttpContext context, StoredEndpoint endpoint, VendCaller caller, string profileName, Vended vended)
    {
        var (response, credentials) = (context.Response, vended.Credentials);
        response.ContentType = "application/json";
        response.Headers.CacheControl = "no-store";
        response.Headers.XContentTypeOptions = "nosniff";
        response.ContentLength = endpoint.Answer.Length + credentials.Answer.Length + CredentialAnswer.Closing.Length;
        // Until it has started, nothing of the body is written that an error response could take along.
        await response.StartAsync(context.RequestAborted);
        var isDelivered = false;
        try
        {
            response.BodyWriter.Write(endpoint.Answer);
            response.BodyWriter.Write(credentials.Answer);
            response.BodyWriter.Write(CredentialAnswer.Closing);
            await response.CompleteAsync();
            isDelivered = !context.RequestAborted.IsCancellationRequested;
        }
        finally
        {
            audit.Vended(caller, profileName, vended, isDelivered, context.TraceIdentifier);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.NoPolicy, LogLevel.Error,
            "The route {Route} answers 403: it names no authorization policy, and credentials are not vended without one. Give the route an AuthorizationPolicy")]
        public static partial void NoPolicy(ILogger logger, string? route);

        [LoggerMessage(EventIds.CallerRefused, LogLevel.Error,
            "The route {Route} answers 403: its profile has \"Scope\": \"User\", and the caller has no claim {Claims}. Set MapInboundClaims = false, or let the authentication scheme keep that claim")]
        public static partial void CallerRefused(ILogger logger, string? route, string? claims);

        [LoggerMessage(EventIds.CallerUnknown, LogLevel.Error,
            "The route {Route} vends to callers that the audit cannot name: they have no claim {Claims}. Set MapInboundClaims = false, or let the authentication scheme keep that claim")]
        public static partial void CallerUnknown(ILogger logger, string? route, string? claims);
    }
}
