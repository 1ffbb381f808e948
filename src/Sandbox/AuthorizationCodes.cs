using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.WebUtilities;

namespace Sandbox;

/// <summary>The code flow with PKCE (RFC 6749, 7636) for pages on this machine. It signs in without a question.</summary>
internal sealed class AuthorizationCodes
{
    private readonly ConcurrentDictionary<string, (string Client, string Redirect, string Challenge)> _codes = new(StringComparer.Ordinal);

    /// <summary>Whether a request to the token endpoint exchanges a code.</summary>
    public static bool IsExchange(HttpRequest request) => request.HasFormContentType && request.Form["grant_type"] == "authorization_code";

    /// <summary>Redirects to the client with a code.</summary>
    public async Task AuthorizeAsync(HttpContext context, CancellationToken cancellation)
    {
        var query = context.Request.Query;
        var (client, redirect, challenge) = (query["client_id"].ToString(), query["redirect_uri"].ToString(), query["code_challenge"].ToString());
        if (client.Length == 0 || challenge.Length == 0 || query["response_type"] != "code" || query["code_challenge_method"] != "S256"
            || !Uri.TryCreate(redirect, UriKind.Absolute, out var address) || !address.IsLoopback)
        {
            await RefuseAsync(context, "invalid_request", cancellation);
            return;
        }

        var code = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
        _codes[code] = (client, redirect, challenge);
        context.Response.Redirect(QueryHelpers.AddQueryString(
            redirect, new Dictionary<string, string?> { ["code"] = code, ["state"] = query["state"].ToString() }));
    }

    /// <summary>Exchanges a code, once, for a token.</summary>
    public async Task ExchangeAsync(HttpContext context, Func<string> issue, CancellationToken cancellation)
    {
        context.Response.Headers.AccessControlAllowOrigin = "*";
        context.Response.Headers.CacheControl = "no-store";
        var form = await context.Request.ReadFormAsync(cancellation);
        var proof = WebEncoders.Base64UrlEncode(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"].ToString())));
        if (!_codes.TryRemove(form["code"].ToString(), out var issued) || issued != (form["client_id"].ToString(), form["redirect_uri"].ToString(), proof))
        {
            await RefuseAsync(context, "invalid_grant", cancellation);
            return;
        }

        await context.Response.WriteAsJsonAsync(
            new JsonObject { ["access_token"] = issue(), ["token_type"] = "Bearer", ["expires_in"] = 3600 }, cancellation);
    }

    private static Task RefuseAsync(HttpContext context, string error, CancellationToken cancellation)
    {
        context.Response.StatusCode = StatusCodes.Status400BadRequest;
        return context.Response.WriteAsJsonAsync(new JsonObject { ["error"] = error }, cancellation);
    }
}
