using System.Globalization;
using System.Threading.RateLimiting;
using CredentialModule.Http;
using Gateway.Configuration;
using Gateway.Edge;
using Microsoft.AspNetCore.Authentication;

namespace Gateway.Authentication;

/// <summary>
/// Counts refused tokens by the client's address, and answers every further token of an address that sent too many with 429 until the
/// window is over, before any signature is checked. What is accepted does not count.
/// </summary>
internal sealed class FailedAuthentications(GatewayOptions options) : IMiddleware, IDisposable
{
    // A count that is whole again is forgotten: memory is bounded by the refusals of one window.
    private readonly PartitionedRateLimiter<HttpContext> _refusals = PartitionedRateLimiter.Create<HttpContext, string>(context =>
        RateLimitPartition.GetFixedWindowLimiter(ClientAddress.Of(context), _ => new()
        {
            PermitLimit = options.Edge.FailedAuthentications.PermitLimit,
            Window = options.Edge.FailedAuthentications.Window,
        }));

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (BearerToken.WasSent(context.Request))
        {
            using var left = _refusals.AttemptAcquire(context, permitCount: 0);
            if (!left.IsAcquired)
            {
                var wait = left.TryGetMetadata(MetadataName.RetryAfter, out var time) ? Math.Ceiling(time.TotalSeconds) : 1;
                context.Response.Headers.RetryAfter = Math.Max(wait, 1).ToString(CultureInfo.InvariantCulture);
                await ErrorAnswer.WriteAsync(context, StatusCodes.Status429TooManyRequests);
                return;
            }

            // The scheme keeps its answer for the request: nothing is checked twice.
            if (IsRefused(await context.AuthenticateAsync())) _refusals.AttemptAcquire(context).Dispose();
        }

        await next(context);
    }

    // An issuer whose keys cannot be fetched is no fault of the token's.
    private static bool IsRefused(AuthenticateResult result) => !result.Succeeded && result.Failure is not (InvalidOperationException or HttpRequestException or IOException);

    public void Dispose() => _refusals.Dispose();
}
