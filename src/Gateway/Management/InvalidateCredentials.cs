using IotCredentials.Http;
using IotCredentials.Operations;

namespace Gateway.Management;

/// <summary><c>DELETE /organizations/{organizationId}/credentials</c>: invalidates the credentials of an organization, in every replica.</summary>
internal static class InvalidateCredentials
{
    private static readonly TimeSpan s_repeatAfter = TimeSpan.FromSeconds(1);

    /// <summary>Writes every such request to the audit, including refused ones.</summary>
    public static async Task AuditAsync(HttpContext context, RequestDelegate next)
    {
        await next(context);
        // If the client is locked out (429), its earlier refusals are already in the audit.
        if (!HttpMethods.IsDelete(context.Request.Method) || context.Request.RouteValues[RouteOrganization.Parameter] is not string organization
            || context.Response.StatusCode == StatusCodes.Status429TooManyRequests) return;
        context.RequestServices.GetRequiredService<CredentialInvalidation>().Audit(
            context.User, organization, context.Response.StatusCode, context.TraceIdentifier);
    }

    /// <summary>204 once Redis holds the new generation; 503 when the credentials are invalidated in this replica only.</summary>
    public static async Task RespondAsync(HttpContext context, CredentialInvalidation invalidation)
    {
        var organization = RouteOrganization.Of(context)!;
        if (await invalidation.InvalidateAsync(organization))
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }

        ErrorResponse.SetRetryAfter(context.Response, s_repeatAfter);
        await ErrorResponse.WriteAsync(context, StatusCodes.Status503ServiceUnavailable);
    }
}
