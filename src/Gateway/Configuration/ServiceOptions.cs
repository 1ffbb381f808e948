namespace Gateway.Configuration;

/// <summary>The addresses of a service that destinations call by its name.</summary>
internal sealed record ServiceOptions
{
    /// <summary>The addresses behind <c>http://NAME/</c>, each a host and a port. Default: none.</summary>
    public IReadOnlyList<string> Http { get; init; } = [];

    /// <summary>The addresses behind <c>https://NAME/</c>, each a host and a port. Default: none.</summary>
    public IReadOnlyList<string> Https { get; init; } = [];
}
