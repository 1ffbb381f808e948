using System.Collections.Frozen;
using System.Net;
using System.Security.Claims;
using System.Security.Cryptography;
using Gateway.Configuration;
using Gateway.Networking;
using Microsoft.AspNetCore.Authentication;

namespace Gateway.Authentication;

/// <summary>One configured API key. It stays the same object over reloads while its entry in the configuration has the same content.</summary>
internal sealed class ApiKey(string name, ApiKeyOptions options)
{
    /// <summary>The issuer of every configured key's caller.</summary>
    public const string Issuer = "urn:gateway:api-keys";

    /// <summary>The name of the scheme in policies, metrics and logs.</summary>
    public const string Scheme = "ApiKeys";

    private readonly byte[] _hash = Convert.FromHexString(options.Sha256!);
    private Task<AuthenticateResult>? _result;
    private volatile bool _isWellFormed;

    public string Name => name;

    public ReadOnlySpan<byte> Hash => _hash;

    /// <summary>Whether this object stands for an entry of a later configuration, too.</summary>
    public bool IsFor(ApiKeyOptions later) => options.HasSameContent(later);

    public bool HasExpired(DateTimeOffset now) => options.Expires <= now;

    /// <summary>Whether the key has this hash. The time that it takes does not depend on the hashes.</summary>
    public bool Has(ReadOnlySpan<byte> hash) => CryptographicOperations.FixedTimeEquals(hash, _hash);

    /// <summary>Whether the text of the key, which has its hash, is well-formed. An operator can write the hash of any text into the configuration.</summary>
    public bool IsWellFormed(ReadOnlySpan<char> text) => _isWellFormed || (_isWellFormed = ApiKeyText.IsWellFormed(text));

    /// <summary>The result for a request with the key: the same object for every request, made at the first.</summary>
    /// <param name="isRevoked">Whether the key has left the configuration since.</param>
    public Task<AuthenticateResult> ResultFor(Func<ApiKey, bool> isRevoked)
    {
        if (_result is { } known) return known;
        var caller = new CallerIdentity(Issuer, name, options.Expires ?? DateTimeOffset.MaxValue)
        {
            Scheme = Scheme,
            NotBefore = DateTimeOffset.MinValue,
            Organizations = options.Organizations.ToFrozenSet(StringComparer.Ordinal),
            Roles = options.Roles.ToFrozenSet(StringComparer.Ordinal),
            Scopes = options.Scopes.ToFrozenSet(StringComparer.Ordinal),
            IpAllow = options.IpAllow.Count == 0 ? null : NetworksOf(options.IpAllow),
            IsRevoked = () => isRevoked(this),
        };
        return _result = Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(caller), Scheme)));
    }

    // If the list cannot be parsed, no address is allowed.
    private static IReadOnlyList<IPNetwork> NetworksOf(IReadOnlyList<string> addresses) =>
        AddressList.TryParse(string.Join(',', addresses), out var networks, out _) ? networks : [];
}
