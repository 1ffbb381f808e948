using System.Text.Json;
using Testing;
using Xunit;

namespace Gateway.Tests;

/// <summary>What holds of every error that the gateway makes.</summary>
internal static class Refusal
{
    public static void Is(int status, string error, Answer answer)
    {
        Assert.True(answer.Status == status, $"{answer.Status} {answer.Body}");
        Assert.Equal("application/json", answer.ContentHeaders.ContentType?.ToString());
        Assert.Equal("no-store", answer.Headers.CacheControl?.ToString());
        Assert.Equal(["nosniff"], answer.Headers.GetValues("X-Content-Type-Options"));
        Body(error, answer.Body);
    }

    public static void Body(string error, string body)
    {
        using var json = JsonDocument.Parse(body);
        Assert.Equal(["error", "message"], json.RootElement.EnumerateObject().Select(member => member.Name));
        Assert.Equal(error, json.RootElement.GetProperty("error").GetString());
        Assert.NotEmpty(json.RootElement.GetProperty("message").GetString()!);
    }

    public static void IsUnauthenticated(Answer answer, bool tokenSent)
    {
        Is(401, "Unauthenticated", answer);
        Assert.Equal(tokenSent ? "Bearer error=\"invalid_token\"" : "Bearer", answer.Headers.WwwAuthenticate.ToString());
    }
}
