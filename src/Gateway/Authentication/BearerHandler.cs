using Gateway.Telemetry;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Authentication;

/// <summary>
/// The default scheme: has a request's token checked by the scheme of the issuer that it names, or by none, and remembers the good ones.
/// </summary>
internal sealed partial class BearerHandler(
    IssuerSchemes schemes, ValidatedTokens validated, FailedAuthentications failed, IOptionsMonitor<JwtBearerOptions> options, ILogger<BearerHandler> logger) : IAuthenticationHandler
{
    // No operator's name holds a colon.
    public const string Scheme = "gateway:bearer";

    private HttpContext _context = null!;

    public Task InitializeAsync(AuthenticationScheme scheme, HttpContext context)
    {
        _context = context;
        return Task.CompletedTask;
    }

    public async Task<AuthenticateResult> AuthenticateAsync()
    {
        var result = BearerToken.Of(_context.Request) is { IsEmpty: false } token && schemes.Find(BearerToken.ClaimedIssuer(token.Span)) is { } scheme
            ? await CheckAsync(TokenKey.Of(scheme, token.Span))
            : AuthenticateResult.NoResult();
        failed.Count(_context, result);
        return result;
    }

    public Task ChallengeAsync(AuthenticationProperties? properties) => AnswerAsync(StatusCodes.Status401Unauthorized);

    public Task ForbidAsync(AuthenticationProperties? properties) => AnswerAsync(StatusCodes.Status403Forbidden);

    private async Task<AuthenticateResult> CheckAsync(TokenKey key)
    {
        BaseConfiguration keys;
        try
        {
            keys = await options.KeysOfAsync(key.Scheme);
        }
        catch (Exception e)
        {
            Log.KeysNotRead(logger, key.Scheme, e.GetBaseException().GetType().Name);
            return AuthenticateResult.Fail(e);
        }

        var result = await _context.AuthenticateAsync(key.Scheme);
        // Keys that were read anew meanwhile may be the ones that it was checked with, or not.
        if (result.Succeeded && CallerIdentity.Of(result.Principal) is { } caller && keys == await options.KeysOfAsync(key.Scheme)) validated.Add(key, result, caller, keys);
        return result;
    }

    private Task AnswerAsync(int status)
    {
        _context.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.KeysNotRead, LogLevel.Information, "The keys of {Scheme}'s issuer cannot be read ({Cause}): its tokens are refused until they can")]
        public static partial void KeysNotRead(ILogger logger, string scheme, string cause);
    }
}

/// <summary>An issuer's keys, as its scheme checks tokens with them.</summary>
internal static class IssuerKeys
{
    /// <summary>The keys in force: read anew where it is time, and then another object than before.</summary>
    public static Task<OpenIdConnectConfiguration> KeysOfAsync(this IOptionsMonitor<JwtBearerOptions> options, string scheme) =>
        options.Get(scheme).ConfigurationManager!.GetConfigurationAsync(CancellationToken.None);
}

/// <summary>Which scheme a token's issuer stands for. One issuer is of one scheme alone.</summary>
internal sealed class IssuerSchemes
{
    private readonly Dictionary<string, string> _byIssuer = new(StringComparer.Ordinal);

    public string[] Names { get; private set; } = [];

    public void Add(string scheme, IEnumerable<string> issuers)
    {
        Names = [.. Names, scheme];
        foreach (var issuer in issuers) _byIssuer[issuer] = scheme;
    }

    public string? Find(string? issuer) => issuer is not null ? _byIssuer.GetValueOrDefault(issuer) : null;
}
