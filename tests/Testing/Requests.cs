using System.Net.Http.Headers;
using System.Text.Json;

namespace Testing;

/// <summary>A response with its whole body.</summary>
public sealed record Response(int Status, HttpResponseHeaders Headers, HttpContentHeaders ContentHeaders, string Body)
{
    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    public string? Error => Json.GetProperty("error").GetString();

    public JsonElement Data => Status is >= 200 and < 300 ? Json.GetProperty("data") : throw new InvalidOperationException($"{Status} {Body}");

    public JsonElement Credentials => Data.GetProperty("credentials");

    public string AccessKeyId => Credentials.GetProperty("accessKeyId").GetString()!;
}

/// <summary>Requests of clients.</summary>
public static class Requests
{
    public static async Task<Response> SendAsync(
        this HttpClient client, string url, string? token = null, string method = "GET", Action<HttpRequestMessage>? change = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(url));
        if (token is not null) request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        change?.Invoke(request);
        using var response = await client.SendAsync(request);
        return new((int)response.StatusCode, response.Headers, response.Content.Headers, await response.Content.ReadAsStringAsync());
    }

    public static string CredentialsPath(string organization) => $"/organizations/{organization}/iot-endpoint-and-credentials";
}
