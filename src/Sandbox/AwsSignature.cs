using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.Features;

namespace Sandbox;

/// <summary>A request's Signature Version 4, read from its <c>Authorization</c> header and recomputed from the request as received.</summary>
internal sealed partial record AwsSignature(
    string AccessKeyId, string Date, string Region, string Service, IReadOnlyList<string> SignedHeaders, string Value)
{
    private const string Algorithm = "AWS4-HMAC-SHA256";
    private const string StampFormat = "yyyyMMdd'T'HHmmss'Z'";
    private static readonly TimeSpan s_tolerance = TimeSpan.FromMinutes(15);

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
            match.Groups["signature"].Value);
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

        var stamp = request.Headers["X-Amz-Date"].ToString();
        if (!DateTimeOffset.TryParseExact(stamp, StampFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var signedAt))
            return "Date must be in ISO-8601 'basic format'.";

        if (!stamp.StartsWith(Date, StringComparison.Ordinal))
            return $"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date: '{Date}' != '{stamp[..8]}'.";
        if (now is not { } time) return null;
        if (signedAt < time - s_tolerance)
            return $"Signature expired: {stamp} is now earlier than {Stamp(time - s_tolerance)} ({Stamp(time)} - 15 min.)";
        if (signedAt > time + s_tolerance)
            return $"Signature not yet current: {stamp} is still later than {Stamp(time + s_tolerance)} ({Stamp(time)} + 15 min.)";
        return null;
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
        var toSign = $"{Algorithm}\n{request.Headers["X-Amz-Date"]}\n{scope}\n{Hash(Encoding.UTF8.GetBytes(canonical))}";

        var key = new[] { Date, Region, Service, "aws4_request", toSign }.Aggregate(
            Encoding.UTF8.GetBytes($"AWS4{secret}"), (key, data) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(data)));
        return Convert.ToHexStringLower(key) == Value;
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
            .Select(pair => (Name: Normalize(pair[0]), Value: pair.Length == 1 ? "" : Normalize(pair[1])))
            .OrderBy(pair => pair.Name, StringComparer.Ordinal)
            .ThenBy(pair => pair.Value, StringComparer.Ordinal);
        return string.Join('&', pairs.Select(pair => $"{pair.Name}={pair.Value}"));

        static string Normalize(string text) => Uri.EscapeDataString(Uri.UnescapeDataString(text));
    }

    private static string CanonicalHeader(HttpRequest request, string name) =>
        string.Join(',', request.Headers[name].Select(value => Spaces().Replace((value ?? "").Trim(), " ")));

    private static string Hash(byte[] data) => Convert.ToHexStringLower(SHA256.HashData(data));

    private static string Stamp(DateTimeOffset time) => time.UtcDateTime.ToString(StampFormat, CultureInfo.InvariantCulture);

    [GeneratedRegex(
        @"^AWS4-HMAC-SHA256\s+Credential=(?<key>[^/,\s]+)/(?<date>[0-9]{8})/(?<region>[^/,\s]+)/(?<service>[^/,\s]+)/aws4_request,\s*"
        + @"SignedHeaders=(?<headers>[^,\s]+),\s*Signature=(?<signature>[0-9a-f]{64})\z")]
    private static partial Regex Authorization();

    [GeneratedRegex(@"^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}\z")]
    private static partial Regex RegionName();

    [GeneratedRegex(" +")]
    private static partial Regex Spaces();
}
