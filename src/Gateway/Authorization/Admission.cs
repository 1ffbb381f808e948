using Gateway.Authentication;
using Gateway.Telemetry;
using Microsoft.AspNetCore.Authorization;

namespace Gateway.Authorization;

/// <summary>
/// Lets a known caller that may use its route pass authentication and authorization at once. It refuses nobody: all other requests are judged by the framework's
/// two steps, as if this one were not there.
/// </summary>
internal sealed class Admission(KnownCallers callers, CallerAuthorizationService authorization, GatewayMetrics metrics)
{
    /// <summary>Whether the request passes. If it does, its user is set, and it is counted as authenticated.</summary>
    public bool Admits(HttpContext context)
    {
        if (context.GetEndpoint() is not { } endpoint || PolicyOf(endpoint.Metadata) is not { } policy || callers.Find(context) is not var (scheme, found))
            return false;
        if (found is not { IsCompletedSuccessfully: true, Result: { Succeeded: true, Principal: { } user } }) return false;
        if (!authorization.Allows(user, context, policy.Requirements)) return false;
        if (Preconditions.RefusalOf(context, endpoint) is not null || Preconditions.IsElsewhere(context, user)) return false;

        context.User = user;
        metrics.Authenticated(scheme, AuthenticationOutcome.Accepted);
        return true;
    }

    /// <summary>The policy of an endpoint that asks for a caller, and has no other policy or rule; null for all others.</summary>
    private static AuthorizationPolicy? PolicyOf(EndpointMetadataCollection rules) =>
        rules.GetOrderedMetadata<AuthorizationPolicy>() is [{ AuthenticationSchemes.Count: 0 } policy] && policy != AuthorizationPolicies.Anyone
            && rules.GetMetadata<IAuthorizeData>() is null && rules.GetMetadata<IAllowAnonymous>() is null
            && rules.GetMetadata<IAuthorizationRequirementData>() is null
            ? policy
            : null;
}

/// <summary>Adds the admission of known callers.</summary>
internal static class AdmissionExtensions
{
    /// <summary>Adds the steps that judge a request, which an admitted one does not run.</summary>
    public static void UnlessAdmitted(this IApplicationBuilder app, Action<IApplicationBuilder> judge)
    {
        var admission = app.ApplicationServices.GetRequiredService<Admission>();
        RequestDelegate? behind = null;
        app.Use(judged => context => admission.Admits(context) ? behind!(context) : judged(context));
        // Not by UseWhen: a branch keeps to itself that both are used, and the host would add them again, in front of everything.
        judge(app);
        // A pipeline is built from its end, so this comes before the line that uses it.
        app.Use(next => behind = next);
    }
}
