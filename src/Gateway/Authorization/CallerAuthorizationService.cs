using System.Security.Claims;
using Gateway.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Infrastructure;
using Microsoft.Identity.Web;

namespace Gateway.Authorization;

/// <summary>
/// The framework's authorization service, which is not asked when an authenticated caller meets requirements that are known here. All other answers, and so
/// all refusals, are the framework's.
/// </summary>
internal sealed class CallerAuthorizationService : IAuthorizationService
{
    private static readonly Task<AuthorizationResult> s_success = Task.FromResult(AuthorizationResult.Success());

    private readonly DefaultAuthorizationService _framework;
    private readonly bool _areHandlersKnown;

    public CallerAuthorizationService(DefaultAuthorizationService framework, IEnumerable<IAuthorizationHandler> handlers)
    {
        _framework = framework;
        // Another handler could refuse what these accept.
        _areHandlersKnown = handlers.All(static handler => handler is PassThroughAuthorizationHandler or OrganizationAccessHandler || IsOfIdentityWeb(handler));
    }

    /// <summary>Whether the user is an authenticated caller that meets all requirements, and each of them is known here.</summary>
    public bool Allows(ClaimsPrincipal user, object? resource, IReadOnlyList<IAuthorizationRequirement> requirements) =>
        _areHandlersKnown && requirements.Count > 0 && CallerIdentity.Of(user) is { IsAuthenticated: true } caller && AreMet(requirements, caller, resource);

    public Task<AuthorizationResult> AuthorizeAsync(ClaimsPrincipal user, object? resource, IEnumerable<IAuthorizationRequirement> requirements) =>
        requirements is IReadOnlyList<IAuthorizationRequirement> list && Allows(user, resource, list)
            ? s_success
            : _framework.AuthorizeAsync(user, resource, requirements);

    public Task<AuthorizationResult> AuthorizeAsync(ClaimsPrincipal user, object? resource, string policyName) =>
        _framework.AuthorizeAsync(user, resource, policyName);

    // They only meet requirements of Microsoft.Identity.Web's own, which no route has.
    private static bool IsOfIdentityWeb(IAuthorizationHandler handler) => handler.GetType().Assembly == typeof(ScopeAuthorizationRequirement).Assembly;

    private static bool AreMet(IReadOnlyList<IAuthorizationRequirement> requirements, CallerIdentity caller, object? resource)
    {
        for (var i = 0; i < requirements.Count; i++)
        {
            var isMet = requirements[i] switch
            {
                DenyAnonymousAuthorizationRequirement => true,
                OrganizationAccessRequirement => OrganizationAccessHandler.IsMember(caller, resource),
                CallerRequirement requirement => requirement.IsMetBy(caller),
                _ => false,
            };
            if (!isMet) return false;
        }

        return true;
    }
}
