using Gateway.Networking;
using Gateway.Telemetry;
using IotCredentials.Http;
using IotCredentials.Operations;

namespace Gateway.Management;

/// <summary><c>DELETE /organizations/{organizationId}/credentials</c>: invalidates the credentials of an organization, in every replica.</summary>
internal static class InvalidateCredentials
{
    private static readonly TimeSpan s_repeatAfter = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Writes each such request to the audit, including refused ones. Requests without a valid token could fill the audit: of these it writes one per minute
    /// for each client address and reason, and none of a client that is locked out.
    /// </summary>
    /// <param name="context">The request.</param>
    /// <param name="next">The next step.</param>
    /// <param name="strangers">Which lines about requests without a valid token are due.</param>
    public static async Task AuditAsync(HttpContext context, RequestDelegate next, RepeatedLines<(string Address, string? Reason)> strangers)
    {
        await next(context);
        if (!HttpMethods.IsDelete(context.Request.Method) || context.Request.RouteValues[RouteOrganization.Parameter] is not string organization
            || context.Response.StatusCode == StatusCodes.Status429TooManyRequests) return;
        if (context.User.Identity?.IsAuthenticated != true
            && !strangers.IsDue((ClientAddress.Of(context), context.Features.Get<ErrorReason>()?.Word), rest: ("", null), out _)) return;
        context.RequestServices.GetRequiredService<CredentialInvalidation>().Audit(
            context.User, organization, context.Features.Get<Invalidation>()?.Outcome ?? InvalidationOutcome.Refused, context.Response.StatusCode,
            context.TraceIdentifier);
    }

    /// <summary>204 once Redis holds the new generation; 503 when the credentials are invalidated in this replica only.</summary>
    public static async Task RespondAsync(HttpContext context, CredentialInvalidation invalidation)
    {
        var organization = RouteOrganization.Of(context)!;
        var isDone = await invalidation.InvalidateAsync(organization);
        context.Features.Set(new Invalidation(isDone ? InvalidationOutcome.Done : InvalidationOutcome.DoneHereOnly));
        if (isDone)
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }

        ErrorResponse.SetRetryAfter(context.Response, s_repeatAfter);
        await ErrorResponse.WriteAsync(context, StatusCodes.Status503ServiceUnavailable);
    }

    private sealed record Invalidation(InvalidationOutcome Outcome);
}
