using CredentialModule.Http;
using CredentialModule.Vending;

namespace Gateway.Management;

/// <summary><c>DELETE /organizations/{organizationId}/credentials</c>: forgets what was vended to an organization, in every replica.</summary>
internal static class ForgetCredentials
{
    /// <summary>Has every request for it in the audit, the refused ones too.</summary>
    public static async Task AuditAsync(HttpContext context, RequestDelegate next)
    {
        await next(context);
        // One that is locked out has its refusals there already.
        if (!HttpMethods.IsDelete(context.Request.Method) || context.Request.RouteValues[RouteOrganization.Parameter] is not string organization
            || context.Response.StatusCode == StatusCodes.Status429TooManyRequests) return;
        context.RequestServices.GetRequiredService<AuditTrail>().Forgotten(
            VendCaller.Of(context.User), organization, context.Response.StatusCode, context.TraceIdentifier);
    }

    /// <summary>204 once Redis holds the mark; 503 when the credentials are forgotten in this replica alone.</summary>
    public static async Task AnswerAsync(HttpContext context, ForgottenOrganizations forgotten)
    {
        var organization = RouteOrganization.Of(context)!;
        if (await forgotten.ForgetAsync(organization))
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }

        context.Response.Headers.RetryAfter = "2";
        await ErrorAnswer.WriteAsync(context, StatusCodes.Status503ServiceUnavailable);
    }
}
