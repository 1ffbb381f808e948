using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Gateway.Configuration;
using IotCredentials.Failures;

namespace Gateway.Authentication;

/// <summary>
/// Asks the introspection endpoint about one token or key (RFC 7662), with a time and size limit. Neither request nor response is ever logged.
/// </summary>
internal sealed class IntrospectionClient : IDisposable
{
    private const int MostBytes = 64 * 1024;

    // A response is small and flat. A member that stands there twice would be read differently by different readers.
    private static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    private readonly IntrospectionOptions _options;
    private readonly Uri _address;
    private readonly string _secretPath;
    private readonly TimeProvider _time;
    private readonly HttpClient _client;

    /// <param name="options">The section.</param>
    /// <param name="folder">The folder that the secret's path is relative to.</param>
    /// <param name="time">The clock for deadlines.</param>
    public IntrospectionClient(IntrospectionOptions options, string folder, TimeProvider time)
    {
        (_options, _address, _secretPath, _time) = (options, new Uri(options.Address!), Path.Combine(folder, options.ClientSecretPath!), time);
        var handler = new SocketsHttpHandler
        {
            // A redirect would take the token and the client's secret elsewhere.
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = options.Timeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        };
        _client = new HttpClient(handler) { MaxResponseContentBufferSize = MostBytes, Timeout = Timeout.InfiniteTimeSpan };
        _client.DefaultRequestHeaders.UserAgent.ParseAdd("iot-gateway");
        _client.DefaultRequestHeaders.Accept.ParseAdd("application/json");
    }

    /// <summary>The endpoint for messages, without secrets.</summary>
    public string Address => FailureText.Address(_address);

    /// <summary>The issuer of callers whose response names none.</summary>
    public string Origin => _address.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped);

    /// <summary>Asks about a token or key. The caller disposes of the response.</summary>
    /// <exception cref="IntrospectionUnavailableException">There is no response, or it cannot be used.</exception>
    public async Task<JsonDocument> AskAsync(string token)
    {
        using var deadline = new CancellationTokenSource(_options.Timeout, _time);
        using var request = new HttpRequestMessage(HttpMethod.Post, _address);
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Credentials());
        request.Content = new FormUrlEncodedContent([new("token", token)]);
        try
        {
            using var response = await _client.SendAsync(request, deadline.Token);
            if (!response.IsSuccessStatusCode) throw new IntrospectionUnavailableException(ProblemOf((int)response.StatusCode));
            var read = JsonDocument.Parse(ByteOrderMark.Skip(await response.Content.ReadAsByteArrayAsync(deadline.Token)), s_strict);
            // RFC 7662, 2.2: active is a boolean, and required.
            if (read.RootElement is { ValueKind: JsonValueKind.Object } root && root.TryGetProperty("active", out var active)
                && active.ValueKind is JsonValueKind.True or JsonValueKind.False) return read;
            read.Dispose();
            throw new IntrospectionUnavailableException("its response has no \"active\" that is true or false");
        }
        catch (OperationCanceledException)
        {
            throw new IntrospectionUnavailableException($"no response within {_options.Timeout.TotalSeconds} s");
        }
        catch (JsonException)
        {
            throw new IntrospectionUnavailableException("its response is not a JSON object, or is ambiguous");
        }
        catch (HttpRequestException e)
        {
            throw new IntrospectionUnavailableException(e.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded
                ? $"its response is longer than {MostBytes / 1024} KiB"
                : FailureText.Of(e, _address));
        }
        catch (Exception e) when (e is not IntrospectionUnavailableException)
        {
            throw new IntrospectionUnavailableException($"unexpected {e.GetType().Name}");
        }
    }

    public void Dispose() => _client.Dispose();

    private static string ProblemOf(int status) => status is 401 or 403
        ? $"its status is {status}: it does not accept ClientId and the secret in ClientSecretPath"
        : $"its status is {status}";

    // RFC 6749, 2.3.1: both are form-encoded before they are joined. The file is read each time, so that a new secret is used at once.
    private string Credentials()
    {
        var content = FileContent.Read(_secretPath, out var problem)
            ?? throw new IntrospectionUnavailableException($"the file of ClientSecretPath {problem}");
        var secret = SecretIn(content);
        return Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Encode(_options.ClientId!)}:{Encode(secret)}"));
    }

    /// <summary>The secret in a file. Some editors put a byte order mark before it.</summary>
    public static string SecretIn(ReadOnlySpan<byte> content) => Encoding.UTF8.GetString(content).Trim('\uFEFF').Trim();

    private static string Encode(string text) => Uri.EscapeDataString(text).Replace("%20", "+", StringComparison.Ordinal);
}

/// <summary>The introspection endpoint gave no response that can be used. The cause is for operators and holds nothing of the response.</summary>
internal sealed class IntrospectionUnavailableException(string cause) : Exception
{
    public string Cause => cause;
}

/// <summary>The introspection endpoint refuses a token. It may accept it later.</summary>
internal sealed class IntrospectionRefusal(string message) : Exception(message);
