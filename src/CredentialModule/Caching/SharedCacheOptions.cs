namespace CredentialModule.Caching;

/// <summary>Where replicas share what was vended, and how it is sealed there: <c>ConnectionStrings:Redis</c> and <c>Sealing:KeyPath</c>.</summary>
internal sealed class SharedCacheOptions
{
    /// <summary>A StackExchange.Redis connection string. Null: nothing is shared, every process vends for itself.</summary>
    public string? Redis { get; set; }

    /// <summary>The file of the sealing keys, relative to the content root or absolute. Required with <see cref="Redis"/>.</summary>
    public string? SealingKeyPath { get; set; }
}
