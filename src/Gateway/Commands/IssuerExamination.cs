using System.Text.Json;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;

namespace Gateway.Commands;

/// <summary>Each issuer's discovery document and keys.</summary>
internal static class IssuerExamination
{
    // Entra's documents of many tenants leave the tenant open.
    private const string AnyTenant = "{tenantid}";

    private const int LongestDocument = 1024 * 1024;

    public static async Task<Diagnosis[]> RunAsync(IServiceProvider services, TimeSpan timeout)
    {
        var schemes = await services.GetRequiredService<IAuthenticationSchemeProvider>().GetAllSchemesAsync();
        var options = services.GetRequiredService<IOptionsMonitor<JwtBearerOptions>>();
        return await Task.WhenAll(schemes
            .Where(scheme => scheme.HandlerType == typeof(JwtBearerHandler))
            .Select(scheme => Diagnosis.OfAsync($"issuer {scheme.Name}", timeout, (waiting, cancellation) => LookAsync(options.Get(scheme.Name), waiting, cancellation))));
    }

    private static async Task<(Outcome, string)> LookAsync(JwtBearerOptions scheme, Waiting waiting, CancellationToken cancellation)
    {
        waiting.For = scheme.MetadataAddress;
        try
        {
            var document = await scheme.ConfigurationManager!.GetConfigurationAsync(cancellation);
            var found = $"{document.Issuer}, {document.SigningKeys.Count} signing key{(document.SigningKeys.Count == 1 ? "" : "s")}";
            return document.SigningKeys.Count == 0 ? (Outcome.Failed, $"{found}: no token can be validated")
                : scheme.TokenValidationParameters.ValidIssuers.Any(issuer => IsIssuer(document.Issuer, issuer)) ? (Outcome.Ok, found)
                : (Outcome.Failed, $"{found}: the issuer of the document is none of the scheme's: {string.Join(", ", scheme.TokenValidationParameters.ValidIssuers)}");
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested)
        {
            // IdentityModel's exceptions quote the response's body, and name no cause that can be told from another.
            var why = await WhyAsync(scheme, cancellation);
            return (Outcome.Failed, why ?? $"{scheme.MetadataAddress}: the document or its keys cannot be used ({e.GetBaseException().GetType().Name})");
        }
    }

    private static async Task<string?> WhyAsync(JwtBearerOptions scheme, CancellationToken cancellation)
    {
        if (!Uri.TryCreate(scheme.MetadataAddress, UriKind.Absolute, out var address)) return null;
        var (document, problem) = await ReadAsync(scheme.Backchannel, address, cancellation);
        if (problem is not null)
            return $"{address}: {problem}{(problem == "404" ? ": Authority is not the address below which the issuer publishes its discovery document" : "")}";
        using (document)
        {
            if (document!.RootElement is not { ValueKind: JsonValueKind.Object } root || !root.TryGetProperty("jwks_uri", out var uri)
                || uri.ValueKind != JsonValueKind.String || !Uri.TryCreate(uri.GetString(), UriKind.Absolute, out var keysAddress))
                return $"{address}: the document names no jwks_uri, so that it is no discovery document";
            var (keys, keysProblem) = await ReadAsync(scheme.Backchannel, keysAddress, cancellation);
            keys?.Dispose();
            return keysProblem is null ? null : $"{keysAddress}, the keys of {address}: {keysProblem}";
        }
    }

    private static async Task<(JsonDocument? Document, string? Problem)> ReadAsync(HttpClient client, Uri address, CancellationToken cancellation)
    {
        try
        {
            using var response = await client.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, cancellation);
            if (!response.IsSuccessStatusCode) return (null, $"{(int)response.StatusCode}");
            await response.Content.LoadIntoBufferAsync(LongestDocument, cancellation);
            return (JsonDocument.Parse(await response.Content.ReadAsStreamAsync(cancellation)), null);
        }
        catch (HttpRequestException e)
        {
            return (null, ConnectionCause.Of(e, address));
        }
        catch (JsonException)
        {
            return (null, "the response is no JSON");
        }
    }

    private static bool IsIssuer(string documented, string expected) => documented.Split(AnyTenant) is [var before, var after]
        ? expected.StartsWith(before, StringComparison.Ordinal) && expected.EndsWith(after, StringComparison.Ordinal)
        : documented == expected;
}
