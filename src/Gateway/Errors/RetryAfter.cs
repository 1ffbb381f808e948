using System.Globalization;

namespace Gateway.Errors;

/// <summary>Writes <c>Retry-After</c> in its only form: whole seconds, rounded up so that the wait is over when they have passed, and at least 1.</summary>
internal static class RetryAfter
{
    public static void Set(HttpResponse response, TimeSpan wait) =>
        response.Headers.RetryAfter = Math.Max(1, Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
}
