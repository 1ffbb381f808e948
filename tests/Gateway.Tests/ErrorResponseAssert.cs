using System.Text.Json;
using Testing;
using Xunit;

namespace Gateway.Tests;

/// <summary>Asserts that a response is one of the gateway's own error responses.</summary>
internal static class ErrorResponseAssert
{
    public static void Matches(int status, string error, Response answer)
    {
        Assert.True(answer.Status == status, $"{answer.Status} {answer.Body}");
        Assert.Equal("application/json", answer.ContentHeaders.ContentType?.ToString());
        Assert.Equal("no-store", answer.Headers.CacheControl?.ToString());
        Assert.Equal(["nosniff"], answer.Headers.GetValues("X-Content-Type-Options"));
        Assert.Matches("^[0-9a-f]{32}$", Assert.Single(answer.Headers.GetValues("X-Request-Id")));
        BodyMatches(error, answer.Body);
    }

    public static void BodyMatches(string error, string body)
    {
        using var json = JsonDocument.Parse(body);
        Assert.Equal(["error", "message"], json.RootElement.EnumerateObject().Select(member => member.Name));
        Assert.Equal(error, json.RootElement.GetProperty("error").GetString());
        Assert.NotEmpty(json.RootElement.GetProperty("message").GetString()!);
    }

    public static void IsUnauthenticated(Response answer, bool tokenSent)
    {
        Matches(401, "Unauthenticated", answer);
        Assert.Equal(tokenSent ? "Bearer error=\"invalid_token\"" : "Bearer", answer.Headers.WwwAuthenticate.ToString());
    }
}
