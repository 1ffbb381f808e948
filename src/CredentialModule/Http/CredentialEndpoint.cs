using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using CredentialModule.Profiles;
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
    IOptions<IotCredentialsOptions> options, ILogger<CredentialEndpoint> logger)
{
    private static readonly JsonWriterOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public async Task AnswerAsync(HttpContext context, string profileName, IRequestRule rule)
    {
        var endpoint = context.GetEndpoint()!;
        if (endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null
            || (endpoint.Metadata.GetMetadata<IAuthorizeData>() is null && endpoint.Metadata.GetMetadata<AuthorizationPolicy>() is null))
        {
            Log.NoPolicy(logger, endpoint.DisplayName);
            await ErrorAnswer.WriteAsync(context, StatusCodes.Status403Forbidden);
            return;
        }

        if (rule.Refuse(context) is { } refusal)
        {
            await ErrorAnswer.WriteAsync(context, refusal);
            return;
        }

        if (RouteOrganization.Of(context) is not { } organization
            || RouteOrganization.ProfilesOf(context).Find(profileName, organization) is not { } profile
            || !CredentialRequestRule.TryReadMinimum(context.Request, profile, out var asked))
        {
            // Good by the rule a moment ago: the profiles were replaced in between.
            await ErrorAnswer.WriteAsync(context, StatusCodes.Status422UnprocessableEntity);
            return;
        }

        var authorization = context.RequestServices.GetRequiredService<IAuthorizationService>();
        if (!(await authorization.AuthorizeAsync(context.User, organization, OrganizationAccessRequirement.Instance)).Succeeded)
        {
            await ErrorAnswer.WriteAsync(context, StatusCodes.Status403Forbidden);
            return;
        }

        try
        {
            var caller = VendCaller.Of(context.User);
            var work = VendAsync(profile, organization, caller, asked, context.RequestAborted);
            var (vended, address) = work.IsCompletedSuccessfully ? work.Result
                : await SingleFlight.Observed(work.AsTask()).WaitAsync(options.Value.Timeout, context.RequestAborted);
            if (vended is null)
            {
                await ErrorAnswer.WriteAsync(context, StatusCodes.Status403Forbidden);
                return;
            }

            metrics.Vended(vended.Outcome);
            audit.Vended(caller, profileName, vended);
            await WriteAsync(context.Response, profile.Region, address, vended.Credentials);
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
    private async ValueTask<(Vended? Vended, string Address)> VendAsync(
        Profile profile, OrganizationId organization, VendCaller caller, TimeSpan? asked, CancellationToken cancellation)
    {
        if (await requests.ForAsync(profile, organization, caller) is not { } request) return (null, "");
        var address = endpoints.FindAsync(profile);
        var searching = address.IsCompletedSuccessfully ? null : SingleFlight.Observed(address.AsTask());
        var vended = await vendor.VendAsync(request, LifetimePromise.Of(profile, request, asked), caller.Key, cancellation);
        return (vended, searching is null ? address.Result : await searching);
    }

    // The route's own Timeout ends a request by the same token; whoever set it answers 504 when the cancellation gets there.
    private static bool IsOutOfTime(HttpContext context) => context.Features.Get<IHttpRequestTimeoutFeature>()?.RequestTimeoutToken.IsCancellationRequested == true;

    private static async Task WriteAsync(HttpResponse response, string region, string endpoint, StoredCredentials credentials)
    {
        response.ContentType = "application/json";
        response.Headers.CacheControl = "no-store";
        response.Headers.XContentTypeOptions = "nosniff";
        await using (var json = new Utf8JsonWriter(response.BodyWriter, s_json))
        {
            json.WriteStartObject();
            json.WriteStartObject("data");
            json.WriteString("awsRegion", region);
            json.WriteString("iotEndpoint", endpoint);
            json.WriteStartObject("credentials");
            json.WriteString("accessKeyId", credentials.AccessKeyId);
            json.WriteString("secretAccessKey", credentials.SecretAccessKey);
            json.WriteString("sessionToken", credentials.SessionToken);
            json.WriteString("expiration", credentials.Expiration.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
            json.Flush();
            // Nothing has left yet: the body is flushed by its completion.
            response.ContentLength = json.BytesCommitted;
        }

        await response.CompleteAsync();
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.NoPolicy, LogLevel.Error,
            "The route {Route} answers 403: it names no authorization policy, and credentials are not vended without one. Give the route an AuthorizationPolicy")]
        public static partial void NoPolicy(ILogger logger, string? route);
    }
}
