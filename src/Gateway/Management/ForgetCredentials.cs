using CredentialModule.Http;
using CredentialModule.Vending;

namespace Gateway.Management;

/// <summary><c>DELETE /organizations/{organizationId}/credentials</c>: forgets what was vended to an organization, in every replica.</summary>
internal static class ForgetCredentials
{
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
