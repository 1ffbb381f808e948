using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.Features;

namespace Sandbox;

/// <summary>
/// A request's Signature Version 4, read from its <c>Authorization</c> header or its query, and recomputed from the request as received.
/// </summary>
/// <param name="AccessKeyId">The access key id.</param>
/// <param name="Date">The date of the scope.</param>
/// <param name="Region">The region of the scope.</param>
/// <param name="Service">The service of the scope.</param>
/// <param name="SignedHeaders">The names of the signed headers.</param>
/// <param name="Value">The signature.</param>
/// <param name="Stamp">The time of signing, as sent.</param>
/// <param name="IsQuery">Whether it is in the query.</param>
internal sealed partial record AwsSignature(
    string AccessKeyId, string Date, string Region, string Service, IReadOnlyList<string> SignedHeaders, string Value, string Stamp, bool IsQuery)
{
    private const string Algorithm = "AWS4-HMAC-SHA256";
    private const string StampFormat = "yyyyMMdd'T'HHmmss'Z'";
    // AWS documents five minutes for most services, and does not list the exceptions.
    private static readonly TimeSpan s_tolerance = TimeSpan.FromMinutes(5);

    /// <summary>The signature; null when there is no readable one.</summary>
    public static AwsSignature? Read(HttpRequest request)
    {
        var match = Authorization().Match(request.Headers.Authorization.ToString());
        if (!match.Success) return null;
        return new AwsSignature(
            match.Groups["key"].Value,
            match.Groups["date"].Value,
            match.Groups["region"].Value,
            match.Groups["service"].Value,
            match.Groups["headers"].Value.Split(';'),
            match.Groups["signature"].Value,
            request.Headers["X-Amz-Date"].ToString(),
            IsQuery: false);
    }

    /// <summary>The signature in the query; null when there is no readable one.</summary>
    public static AwsSignature? ReadQuery(HttpRequest request)
    {
        var query = request.Query;
        // A parameter that is sent twice has no single value.
        if (query.Any(static parameter => parameter.Value.Count != 1) || query["X-Amz-Algorithm"] != Algorithm) return null;
        return query["X-Amz-Credential"].ToString().Split('/') is [{ Length: > 0 } key, { Length: 8 } date, var region, var service, "aws4_request"]
            ? new AwsSignature(
                key, date, region, service, query["X-Amz-SignedHeaders"].ToString().Split(';'), query["X-Amz-Signature"].ToString(),
                query["X-Amz-Date"].ToString(), IsQuery: true)
            : null;
    }

    /// <summary>Checks everything that does not need the secret. Null if all is well, otherwise the error message.</summary>
    /// <param name="request">The request.</param>
    /// <param name="service">The service that the signature must be for.</param>
    /// <param name="now">The current time; null accepts any date.</param>
    public string? FindScopeError(HttpRequest request, string service, DateTimeOffset? now)
    {
        if (!RegionName().IsMatch(Region)) return "Credential should be scoped to a valid region.";
        if (Service != service) return $"Credential should be scoped to correct service: '{service}'.";

        var required = request.Headers.Select(header => header.Key.ToLowerInvariant())
            .Where(name => name is "host" || name.StartsWith("x-amz-", StringComparison.Ordinal));
        if (required.FirstOrDefault(name => !SignedHeaders.Contains(name)) is { } unsigned)
            return $"'{unsigned}' must be a 'SignedHeader' in the AWS Authorization.";

        if (!DateTimeOffset.TryParseExact(Stamp, StampFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var signedAt))
            return "Date must be in ISO-8601 'basic format'.";

        if (!Stamp.StartsWith(Date, StringComparison.Ordinal))
            return $"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date: '{Date}' != '{Stamp[..8]}'.";
        if (Lifetime(request) is not { } lifetime) return "X-Amz-Expires must be a number of seconds between 1 and 604800.";
        if (now is not { } time) return null;
        if (signedAt < time - lifetime)
            return $"Signature expired: {Stamp} is now earlier than {Format(time - lifetime)} ({Format(time)} - {Minutes(lifetime)} min.)";
        if (signedAt > time + s_tolerance)
            return $"Signature not yet current: {Stamp} is still later than {Format(time + s_tolerance)} ({Format(time)} + {Minutes(s_tolerance)} min.)";
        return null;
    }

    /// <summary>How long the signature is valid; null if it says so in no valid way.</summary>
    private TimeSpan? Lifetime(HttpRequest request)
    {
        if (!IsQuery || !request.Query.TryGetValue("X-Amz-Expires", out var text)) return s_tolerance;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 1 and <= 604800
            ? TimeSpan.FromSeconds(seconds)
            : null;
    }

    /// <summary>Whether this secret and this request produce this signature.</summary>
    public bool Matches(HttpRequest request, byte[] body, string secret)
    {
        var bodyHash = Hash(body);
        var saidHash = request.Headers["X-Amz-Content-SHA256"].ToString();
        if (saidHash == "UNSIGNED-PAYLOAD") bodyHash = saidHash;
        else if (saidHash.Length > 0 && saidHash != bodyHash) return false;

        var canonical = string.Join('\n',
            request.Method,
            CanonicalPath(request),
            CanonicalQuery(request.QueryString.Value),
            string.Concat(SignedHeaders.Select(name => $"{name}:{CanonicalHeader(request, name)}\n")),
            string.Join(';', SignedHeaders),
            bodyHash);
        var scope = $"{Date}/{Region}/{Service}/aws4_request";
        var toSign = $"{Algorithm}\n{Stamp}\n{scope}\n{Hash(Encoding.UTF8.GetBytes(canonical))}";

        var key = new[] { Date, Region, Service, "aws4_request", toSign }.Aggregate(
            Encoding.UTF8.GetBytes($"AWS4{secret}"), (key, data) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(data)));
        return CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Convert.ToHexStringLower(key)), Encoding.UTF8.GetBytes(Value));
    }

    private static string CanonicalPath(HttpRequest request)
    {
        // Every service but S3 signs the path as sent, URL-encoded once more.
        var path = request.HttpContext.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('?')[0];
        return string.Join('/', path.Split('/').Select(Uri.EscapeDataString));
    }

    private static string CanonicalQuery(string? query)
    {
        var pairs = (query ?? "").TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries)
            .Select(pair => pair.Split('=', 2))
            // These are appended to a query that is already signed.
            .Where(pair => pair[0] is not ("X-Amz-Signature" or "X-Amz-Security-Token"))
            .Select(pair => (Name: Normalize(pair[0]), Value: pair.Length == 1 ? "" : Normalize(pair[1])))
            .OrderBy(pair => pair.Name, StringComparer.Ordinal)
            .ThenBy(pair => pair.Value, StringComparer.Ordinal);
        return string.Join('&', pairs.Select(pair => $"{pair.Name}={pair.Value}"));

        static string Normalize(string text) => Uri.EscapeDataString(Uri.UnescapeDataString(text));
    }

    private static string CanonicalHeader(HttpRequest request, string name) =>
        string.Join(',', request.Headers[name].Select(value => Spaces().Replace((value ?? "").Trim(), " ")));

    private static string Hash(byte[] data) => Convert.ToHexStringLower(SHA256.HashData(data));

    private static string Minutes(TimeSpan time) => time.TotalMinutes.ToString("0.##", CultureInfo.InvariantCulture);

    private static string Format(DateTimeOffset time) => time.UtcDateTime.ToString(StampFormat, CultureInfo.InvariantCulture);

    [GeneratedRegex(
        @"^AWS4-HMAC-SHA256\s+Credential=(?<key>[^/,\s]+)/(?<date>[0-9]{8})/(?<region>[^/,\s]+)/(?<service>[^/,\s]+)/aws4_request,\s*"
        + @"SignedHeaders=(?<headers>[^,\s]+),\s*Signature=(?<signature>[0-9a-f]{64})\z")]
    private static partial Regex Authorization();

    [GeneratedRegex(@"^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}\z")]
    private static partial Regex RegionName();

    [GeneratedRegex(" +")]
    private static partial Regex Spaces();
}
