using System.Globalization;
using System.Security.Claims;
using Gateway.Authentication;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Commands;

/// <summary>What the gateway would say of a token, its signature aside: the keys are its issuer's, and no call is made.</summary>
internal sealed record TokenVerdict
{
    /// <summary>The scheme that the token's <c>iss</c> belongs to; absent when it belongs to none.</summary>
    public string? Scheme { get; init; }

    public string? Issuer { get; init; }

    /// <summary>Everything that the token fails by; empty when it is good, if its signature is.</summary>
    public required IReadOnlyList<string> Failures { get; init; }

    public string Signature { get; } = "not checked: its keys are the issuer's, and no call is made";

    /// <summary>Each thing that the route's policy asks for, and whether the token's caller has it.</summary>
    public IReadOnlyList<RequirementVerdict> Requirements { get; init; } = [];

    /// <summary>The caller whom the token names, good or not; null when it names none that the scheme accepts.</summary>
    internal ClaimsPrincipal? Caller { get; init; }

    /// <summary>Judges the token of a request by the options of its own scheme.</summary>
    public static async Task<TokenVerdict> OfAsync(HttpContext context)
    {
        var services = context.RequestServices;
        var token = BearerToken.Of(context.Request);
        if (token is null || BearerToken.ClaimedIssuer(token.Value.Span) is not { } issuer) return new() { Failures = ["it is no token with one issuer in it"] };

        if (services.GetRequiredService<IssuerSchemes>().Find(issuer) is not { } name) return new() { Issuer = issuer, Failures = ["the issuer is none of any scheme's"] };

        var scheme = (await services.GetRequiredService<IAuthenticationSchemeProvider>().GetSchemeAsync(name))!;
        var options = services.GetRequiredService<IOptionsMonitor<JwtBearerOptions>>().Get(scheme.Name);
        var failures = new List<string>();
        var caller = await ReadAsync(context, token.Value.ToString(), scheme, options, failures);
        return new() { Scheme = scheme.Name, Issuer = issuer, Failures = failures, Caller = caller };
    }

    private static async Task<ClaimsPrincipal?> ReadAsync(HttpContext context, string sent, AuthenticationScheme scheme, JwtBearerOptions options, List<string> failures)
    {
        var parameters = options.TokenValidationParameters;
        try
        {
            var token = new JsonWebToken(sent);
            Check(() => Validators.ValidateAlgorithm(token.Alg, null, token, parameters), $"the algorithm is not one of {string.Join(", ", parameters.ValidAlgorithms)}");
            Check(() => Validators.ValidateAudience(token.Audiences, token, parameters), $"the audience is not one of {string.Join(", ", parameters.ValidAudiences)}");
            CheckLifetime(token, parameters, failures);

            var identity = parameters.CreateClaimsIdentity(token, token.Issuer);
            identity.AddClaims(token.Claims);
            var validated = new TokenValidatedContext(context, scheme, options) { SecurityToken = token, Principal = new ClaimsPrincipal(identity) };
            await options.Events.OnTokenValidated(validated);
            if (validated.Result is not { Failure: { } refusal }) return validated.Principal;
            failures.Add(refusal.Message);
        }
        catch (UnauthorizedAccessException e)
        {
            // Microsoft.Identity.Web's word for a token without scope or role.
            failures.Add(e.Message);
        }
        catch (Exception e) when (e is ArgumentException or SecurityTokenException or FormatException)
        {
            // Their messages can hold the token.
            failures.Add("it cannot be read");
        }

        return null;

        void Check(Action check, string otherwise)
        {
            try
            {
                check();
            }
            catch (SecurityTokenException)
            {
                failures.Add(otherwise);
            }
        }
    }

    private static void CheckLifetime(JsonWebToken token, TokenValidationParameters parameters, List<string> failures)
    {
        try
        {
            Validators.ValidateLifetime(TimeOf(token.ValidFrom), TimeOf(token.ValidTo), token, parameters);
        }
        catch (SecurityTokenNoExpirationException)
        {
            failures.Add("it never expires");
        }
        catch (SecurityTokenExpiredException)
        {
            failures.Add($"it has expired at {Text(token.ValidTo)}");
        }
        catch (SecurityTokenNotYetValidException)
        {
            failures.Add($"it is not valid before {Text(token.ValidFrom)}");
        }
        catch (SecurityTokenInvalidLifetimeException)
        {
            failures.Add("it ends before it begins");
        }

        static DateTime? TimeOf(DateTime time) => time == DateTime.MinValue ? null : time;

        static string Text(DateTime time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
    }
}

/// <summary>One thing that a policy asks for.</summary>
internal sealed record RequirementVerdict(string Requirement, bool Met);
