using System.Text.Json;
using Gateway.Configuration;
using IotCredentials.Failures;

namespace Gateway.Authentication.Keys;

/// <summary>Reads an issuer's discovery document and key set over HTTP, each with a time and size limit.</summary>
internal sealed class IssuerDocuments : IDisposable
{
    public static readonly TimeSpan LongestRead = TimeSpan.FromSeconds(8);

    private const int MostBytes = 1024 * 1024;

    // Entra's documents for multiple tenants have a placeholder instead of the tenant.
    private const string AnyTenant = "{tenantid}";

    private readonly TimeProvider _time;
    private readonly HttpClient _client;

    /// <param name="time">The clock for deadlines.</param>
    /// <param name="handler">Sends the requests. It must not follow a redirect from https to http.</param>
    public IssuerDocuments(TimeProvider time, HttpMessageHandler handler)
    {
        _time = time;
        _client = new HttpClient(handler) { MaxResponseContentBufferSize = MostBytes, Timeout = Timeout.InfiniteTimeSpan };
        _client.DefaultRequestHeaders.UserAgent.ParseAdd("iot-gateway");
        _client.DefaultRequestHeaders.Accept.ParseAdd("application/json, */*;q=0.5");
    }

    /// <summary>The framework's handler, which itself refuses a redirect from https to http.</summary>
    public static SocketsHttpHandler CreateHandler() => new()
    {
        MaxAutomaticRedirections = 3,
        UseCookies = false,
        ConnectTimeout = LongestRead,
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
    };

    /// <summary>Reads the keys that an issuer publishes.</summary>
    /// <param name="metadataAddress">The discovery document's address.</param>
    /// <param name="issuers">The issuers that the document may belong to.</param>
    /// <param name="requireHttps">Whether both documents must be read over https.</param>
    /// <param name="cancellation">Cancels the read.</param>
    /// <exception cref="IssuerUnavailableException">One of the documents cannot be read, is malformed, or belongs to another issuer.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> is cancelled.</exception>
    public async Task<PublishedKeys> ReadAsync(
        string metadataAddress, IReadOnlyCollection<string> issuers, bool requireHttps, CancellationToken cancellation)
    {
        var discovery = await GetAsync(metadataAddress, requireHttps, cancellation);
        string? issuer;
        string? keySetAddress;
        try
        {
            using var document = JsonDocument.Parse(discovery);
            issuer = Text(document.RootElement, "issuer");
            keySetAddress = Text(document.RootElement, "jwks_uri");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new IssuerUnavailableException(Shown(metadataAddress), "it is not a JSON object");
        }

        // OpenID Connect Discovery, 4.3: a document that names another issuer must not be used.
        if (issuer is null) throw new IssuerUnavailableException(Shown(metadataAddress), "it has no issuer");
        if (!issuers.Any(expected => IsIssuer(issuer, expected)))
        {
            var allowed = string.Join(" or ", issuers.Select(static expected => Finding.Quote(expected)));
            throw new IssuerUnavailableException(Shown(metadataAddress), $"its issuer is {Finding.Quote(issuer)}, and not {allowed}");
        }

        if (keySetAddress is null) throw new IssuerUnavailableException(Shown(metadataAddress), "it has no jwks_uri");
        var keySet = await GetAsync(keySetAddress, requireHttps, cancellation);
        try
        {
            return PublishedKeys.Parse(issuer, keySetAddress, keySet);
        }
        catch (JsonException)
        {
            throw new IssuerUnavailableException(Shown(keySetAddress), "it is not a JSON Web Key Set");
        }
    }

    public void Dispose() => _client.Dispose();

    /// <summary>An address for messages: without user, password and query.</summary>
    public static string Shown(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) ? FailureText.Address(uri) : Finding.Quote(address);

    /// <summary>Whether the issuer that a document names matches the expected one.</summary>
    public static bool IsIssuer(string documented, string expected) => documented.Split(AnyTenant) is [var before, var after]
        ? expected.Length > before.Length + after.Length
            && expected.StartsWith(before, StringComparison.Ordinal)
            && expected.EndsWith(after, StringComparison.Ordinal)
            && !expected[before.Length..^after.Length].Contains('/', StringComparison.Ordinal)
        : documented == expected;

    private static string? Text(JsonElement document, string name) =>
        document.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private async Task<ReadOnlyMemory<byte>> GetAsync(string address, bool requireHttps, CancellationToken cancellation)
    {
        if (!HttpAddress.TryParse(address, out var uri))
        {
            throw new IssuerUnavailableException(
                Finding.Quote(address), requireHttps ? "it is not an absolute https address" : $"it is {HttpAddress.Problem}");
        }

        if (requireHttps && uri.Scheme != "https") throw new IssuerUnavailableException(Shown(address), "it is not an https address");

        using var deadline = new CancellationTokenSource(LongestRead, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellation);
        try
        {
            using var response = await _client.GetAsync(uri, either.Token);
            return response.IsSuccessStatusCode
                ? ByteOrderMark.Skip(await response.Content.ReadAsByteArrayAsync(either.Token))
                : throw new IssuerUnavailableException(Shown(address), $"its status is {(int)response.StatusCode}");
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new IssuerUnavailableException(Shown(address), $"no response within {LongestRead.TotalSeconds} s");
        }
        catch (HttpRequestException e)
        {
            var isTooLong = e.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded;
            var cause = isTooLong ? $"it is longer than {MostBytes / 1024} KiB" : FailureText.Of(e, uri);
            throw new IssuerUnavailableException(Shown(address), cause, e);
        }
    }
}

/// <summary>An issuer's keys cannot be fetched.</summary>
internal sealed class IssuerUnavailableException(string address, string cause, Exception? inner = null) : Exception($"{address}: {cause}", inner)
{
    public string Address => address;

    public string Cause => cause;
}
