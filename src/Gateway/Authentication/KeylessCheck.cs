using System.Diagnostics.CodeAnalysis;
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Authentication;

/// <summary>Checks everything about a token but its signature, by its scheme's options. If it fails here, no key of its issuer can make it valid.</summary>
internal static class KeylessCheck
{
    /// <returns>The caller that the token names, unproven, if the scheme could read one; and all failures.</returns>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever the scheme's events throw of a token is what it fails by.")]
    public static async Task<(ClaimsPrincipal? Caller, IReadOnlyList<Exception> Failures)> OfAsync(
        HttpContext context, AuthenticationScheme scheme, JwtBearerOptions options, string sent)
    {
        var parameters = options.TokenValidationParameters;
        var failures = new List<Exception>();
        try
        {
            var token = new JsonWebToken(sent);
            Check(() => Validators.ValidateAlgorithm(token.Alg, null, token, parameters));
            Check(() => Validators.ValidateAudience(token.Audiences, token, parameters));
            Check(() => Validators.ValidateLifetime(TimeOf(token.ValidFrom), TimeOf(token.ValidTo), token, parameters));

            var identity = parameters.CreateClaimsIdentity(token, token.Issuer);
            identity.AddClaims(token.Claims);
            var validated = new TokenValidatedContext(context, scheme, options) { SecurityToken = token, Principal = new ClaimsPrincipal(identity) };
            await options.Events.OnTokenValidated(validated);
            if (validated.Result is not { Failure: { } refusal }) return (validated.Principal, failures);
            failures.Add(refusal);
        }
        catch (Exception e)
        {
            failures.Add(e);
        }

        return (null, failures);

        void Check(Action check)
        {
            try
            {
                check();
            }
            catch (SecurityTokenException e)
            {
                failures.Add(e);
            }
        }

        static DateTime? TimeOf(DateTime time) => time == DateTime.MinValue ? null : time;
    }
}
