namespace Gateway.Authentication.Keys;

/// <summary>Maps issuers to authentication schemes. Each issuer belongs to exactly one scheme.</summary>
internal sealed class IssuerSchemes
{
    private readonly Dictionary<string, string> _byIssuer = new(StringComparer.Ordinal);

    public string[] Names { get; private set; } = [];

    public void Add(string scheme, IEnumerable<string> issuers)
    {
        Names = [.. Names, scheme];
        foreach (var issuer in issuers) _byIssuer[issuer] = scheme;
    }

    public string? Find(string? issuer) => issuer is not null ? _byIssuer.GetValueOrDefault(issuer) : null;
}
