using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Sandbox;

/// <summary>
/// Keeps the OpenID providers that accounts trust, and performs STS's checks of a token in AssumeRoleWithWebIdentity. A provider's documents are read over HTTP
/// for each token.
/// </summary>
internal sealed class WebIdentities : IDisposable
{
    private readonly ConcurrentDictionary<(string Account, string Issuer), IReadOnlyList<string>> _providers = [];
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(60) };
    private readonly JsonWebTokenHandler _handler = new();

    public void Add(string account, string issuer, IReadOnlyList<string> audiences) => _providers[(account, issuer)] = audiences;

    /// <summary>Checks a token and returns its issuer, the audience that was compared, and its subject.</summary>
    /// <exception cref="AwsErrorException">The token is invalid; the error has STS's words.</exception>
    public async Task<(string Issuer, string Audience, string Subject)> CheckAsync(
        string account, string? token, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (token is null or { Length: < 4 or > 20_000 })
            throw AwsErrorException.Validation("1 validation error detected: Value at 'webIdentityToken' failed to satisfy constraint");
        var read = Read(token);
        if (!_providers.TryGetValue((account, read.Issuer), out var audiences))
            throw Invalid($"No OpenIDConnect provider found in your account for {read.Issuer}");
        // STS compares azp in place of aud if the token has both.
        var given = read.Azp is { Length: > 0 } authorizedParty ? [authorizedParty] : read.Audiences;
        if (given.FirstOrDefault(audiences.Contains) is not { } audience) throw Invalid("Incorrect token audience");

        var checkedToken = await _handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            IssuerSigningKeys = await ReadKeysAsync(read.Issuer, cancellationToken),
            // Checked below, with STS's messages.
            ValidateIssuer = false,
            ValidateAudience = false,
            ValidateLifetime = false,
        });
        if (!checkedToken.IsValid) throw Invalid("The token's signature does not verify");
        if (read.ValidTo == default || read.ValidTo <= now.UtcDateTime)
        {
            throw new AwsErrorException("ExpiredTokenException", StatusCodes.Status400BadRequest,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Token expired: current date/time {now.ToUnixTimeSeconds()} must be before the expiration date/time {read.ValidTo:O}"));
        }

        if (read.ValidFrom > now.UtcDateTime) throw Invalid("Token must not be used before its time");
        return read.Subject is { Length: > 0 } subject ? (read.Issuer, audience, subject) : throw Invalid("Missing a required claim: sub");
    }

    public void Dispose() => _client.Dispose();

    private JsonWebToken Read(string token)
    {
        try
        {
            return _handler.ReadJsonWebToken(token);
        }
        catch (ArgumentException)
        {
            throw Invalid("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)");
        }
    }

    private async Task<IList<SecurityKey>> ReadKeysAsync(string issuer, CancellationToken cancellationToken)
    {
        try
        {
            var address = new Uri($"{issuer.TrimEnd('/')}/.well-known/openid-configuration");
            using var discovery = JsonDocument.Parse(await _client.GetStringAsync(address, cancellationToken));
            var keys = new Uri(discovery.RootElement.GetProperty("jwks_uri").GetString()!);
            return new JsonWebKeySet(await _client.GetStringAsync(keys, cancellationToken)).GetSigningKeys();
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            throw new AwsErrorException("IDPCommunicationError", StatusCodes.Status400BadRequest, "The identity provider could not be reached");
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or ArgumentException)
        {
            throw Invalid("Couldn't retrieve verification key from your identity provider");
        }
    }

    private static AwsErrorException Invalid(string message) => new("InvalidIdentityToken", StatusCodes.Status400BadRequest, message);
}
