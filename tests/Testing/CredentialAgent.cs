using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Sandbox;

namespace Testing;

/// <summary>
/// Emulates three sources of a role's credentials: the agent of ECS and EKS Pod Identity, the instance metadata service (version 2 only), and the portal of
/// IAM Identity Center. Each request gets a new session.
/// </summary>
public sealed class CredentialAgent : IAsyncDisposable
{
    private const string Role = "arn:aws:iam::111122223333:role/gateway";

    private readonly AwsEmulator _aws;
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<AwsCredentials> _issued = new();
    private readonly string _metadataToken = Guid.NewGuid().ToString("N");

    private CredentialAgent(AwsEmulator aws, WebApplication app)
    {
        _aws = aws;
        _app = app;
    }

    public string Url => _app.Urls.Single();

    /// <summary>The bearer token that the container agent and the portal require.</summary>
    public string Token { get; set; } = NewToken();

    /// <summary>A second token that the container agent accepts, as while a platform replaces the first.</summary>
    public string? NextToken { get; set; }

    public TimeSpan Lifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Whether every response is a 500.</summary>
    public bool IsDown { get; set; }

    /// <summary>Whether requests get no response until their clients give up.</summary>
    public bool Hangs { get; set; }

    /// <summary>The response in place of credentials; null: credentials.</summary>
    public (int Status, string Body)? Instead { get; set; }

    public IReadOnlyCollection<AwsCredentials> Issued => _issued;

    public static async Task<CredentialAgent> StartAsync(AwsEmulator aws)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var agent = new CredentialAgent(aws, builder.Build());
        agent._app.Run(agent.RespondAsync);
        await agent._app.StartAsync();
        return agent;
    }

    public static string NewToken()
    {
        var token = $"agent-{Guid.NewGuid():N}";
        IssuedSecrets.Add(token);
        return token;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task RespondAsync(HttpContext context)
    {
        if (Hangs) await Task.Delay(Timeout.Infinite, context.RequestAborted);
        var (status, body) = IsDown ? (500, "") : Instead ?? Respond(context.Request);
        context.Response.StatusCode = status;
        await context.Response.WriteAsync(body);
    }

    private (int, string) Respond(HttpRequest request)
    {
        const string Roles = "/latest/meta-data/iam/security-credentials";
        var hasMetadataToken = request.Headers["x-aws-ec2-metadata-token"] == _metadataToken;
        return (request.Method, request.Path.Value) switch
        {
            ("PUT", "/latest/api/token") => (200, _metadataToken),
            ("GET", Roles or $"{Roles}/") => hasMetadataToken ? (200, "gateway") : (401, ""),
            ("GET", $"{Roles}/gateway") => hasMetadataToken ? (200, AgentCredentials()) : (401, ""),
            ("GET", "/credentials") => request.Headers.Authorization == Token || request.Headers.Authorization == NextToken
                ? (200, AgentCredentials())
                : (403, """{"code":"AccessDenied","message":"no"}"""),
            ("GET", "/federation/credentials") => request.Headers["x-amz-sso_bearer_token"] == Token
                ? (200, PortalCredentials())
                : (401, """{"__type":"UnauthorizedException","message":"Session token not found or invalid"}"""),
            _ => (404, ""),
        };
    }

    private string AgentCredentials()
    {
        var session = Issue();
        return new JsonObject
        {
            ["Code"] = "Success",
            ["Type"] = "AWS-HMAC",
            ["AccessKeyId"] = session.AccessKeyId,
            ["SecretAccessKey"] = session.SecretAccessKey,
            [nameof(Token)] = session.SessionToken,
            ["LastUpdated"] = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            ["Expiration"] = session.Expiration!.Value.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        }.ToJsonString();
    }

    private string PortalCredentials()
    {
        var session = Issue();
        return new JsonObject
        {
            ["roleCredentials"] = new JsonObject
            {
                ["accessKeyId"] = session.AccessKeyId,
                ["secretAccessKey"] = session.SecretAccessKey,
                ["sessionToken"] = session.SessionToken,
                ["expiration"] = session.Expiration!.Value.ToUnixTimeMilliseconds(),
            },
        }.ToJsonString();
    }

    private AwsCredentials Issue()
    {
        var session = _aws.IssueRoleSession(Role, "agent", Lifetime);
        _issued.Enqueue(session);
        return session;
    }
}
