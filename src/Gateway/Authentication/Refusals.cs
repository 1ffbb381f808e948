using Gateway.Telemetry;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;

namespace Gateway.Authentication;

/// <summary>
/// Logs why tokens and API keys were refused: a line for each scheme and reason in a minute, with the number of lines that were left out since the last. The
/// number of reasons is bounded.
/// </summary>
internal sealed partial class Refusals(IOptionsMonitor<JwtBearerOptions> options, TimeProvider time, ILogger<Refusals> logger)
{
    private const int MostReasons = 256;

    private readonly RepeatedLines<(string? Scheme, string Kind)> _lines = new(MostReasons, time);

    /// <summary>Logs a refusal.</summary>
    /// <param name="scheme">The scheme; null when no scheme takes the token.</param>
    /// <param name="failure">Why it was refused.</param>
    /// <param name="token">The JSON Web Token; empty for anything else.</param>
    public void Report(string? scheme, Exception failure, ReadOnlySpan<char> token)
    {
        // The reason was logged when the token was refused first.
        if (failure is RepeatedRefusal || !logger.IsEnabled(LogLevel.Information)) return;
        // The texts of these types are the gateway's own, without a time or a value of the token.
        var kind = failure is AuthenticationFailureException or IntrospectionRefusal ? failure.Message : failure.GetType().Name;
        if (!_lines.IsDue((scheme, kind), rest: (null, ""), out var leftOut)) return;

        var parameters = scheme is null ? null : options.Get(scheme).TokenValidationParameters;
        var keyId = BearerToken.TryReadKeyId(token, out var id) ? id : null;
        Log.Refused(
            logger, scheme ?? "none", RefusalText.Of(failure, parameters), TokenText.Quote(BearerToken.ClaimedIssuer(token)), TokenText.Quote(keyId),
            leftOut);
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.CredentialRefused, LogLevel.Information,
            "A token or API key was refused (scheme {Scheme}): {Reason}; issuer {Issuer}, key id {KeyId}; {LeftOut} more with that reason since the last line",
            EventName = nameof(EventIds.CredentialRefused))]
        public static partial void Refused(ILogger logger, string scheme, string reason, string issuer, string keyId, int leftOut);
    }
}
