using System.Globalization;
using System.Threading.RateLimiting;
using CredentialModule.Http;
using Gateway.Configuration;
using Gateway.Edge;
using Microsoft.AspNetCore.Authentication;

namespace Gateway.Authentication;

/// <summary>
/// Counts refused tokens by the client's address, and has every further token of an address that sent too many answered with 429 until the
/// window is over, before any signature is checked. What is accepted does not count.
/// </summary>
internal sealed class FailedAuthentications(GatewayOptions options) : IDisposable
{
    // A count that is whole again is forgotten: memory is bounded by the refusals of one window.
    private readonly PartitionedRateLimiter<HttpContext> _refusals = PartitionedRateLimiter.Create<HttpContext, string>(context =>
        RateLimitPartition.GetFixedWindowLimiter(ClientAddress.Of(context), _ => new()
        {
            PermitLimit = options.Edge.FailedAuthentications.PermitLimit,
            Window = options.Edge.FailedAuthentications.Window,
        }));

    // By Environment.TickCount64: when the last window that is known to hold a refusal is over.
    private long _emptyFrom;

    /// <summary>Counts what became of a request's token.</summary>
    public void Count(HttpContext context, AuthenticateResult result)
    {
        if (!IsRefused(result) || !BearerToken.WasSent(context.Request)) return;
        // A refusal counts for a window; one more for a timer that is late.
        Volatile.Write(ref _emptyFrom, Environment.TickCount64 + (2 * (long)options.Edge.FailedAuthentications.Window.TotalMilliseconds));
        _refusals.AttemptAcquire(context).Dispose();
    }

    /// <summary>How long a client's tokens are not looked at; null when they are.</summary>
    public TimeSpan? IgnoredFor(HttpContext context)
    {
        if (Environment.TickCount64 > Volatile.Read(ref _emptyFrom)) return null;
        using var left = _refusals.AttemptAcquire(context, permitCount: 0);
        return left.IsAcquired ? null : left.TryGetMetadata(MetadataName.RetryAfter, out var time) ? time : TimeSpan.Zero;
    }

    // An issuer whose keys cannot be fetched is no fault of the token's.
    private static bool IsRefused(AuthenticateResult result) => !result.Succeeded && result.Failure is not (InvalidOperationException or HttpRequestException or IOException);

    public void Dispose() => _refusals.Dispose();
}

/// <summary>Turns clients away who sent too many refused tokens.</summary>
internal static class FailedAuthenticationsExtensions
{
    public static void UseFailedAuthentications(this IApplicationBuilder app)
    {
        var failed = app.ApplicationServices.GetRequiredService<FailedAuthentications>();
        app.Use((context, next) =>
        {
            if (!BearerToken.WasSent(context.Request) || failed.IgnoredFor(context) is not { } wait) return next(context);
            context.Response.Headers.RetryAfter = Math.Max(1, Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            return ErrorAnswer.WriteAsync(context, StatusCodes.Status429TooManyRequests);
        });
    }
}
