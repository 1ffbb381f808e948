using Microsoft.Extensions.Options;

namespace CredentialModule.Caching;

/// <summary>Where replicas share what was vended, and how it is sealed there: <c>ConnectionStrings:Redis</c> and <c>Sealing:KeyPath</c>.</summary>
internal sealed class SharedCacheOptions
{
    /// <summary>A StackExchange.Redis connection string. Null: nothing is shared, every process vends for itself.</summary>
    public string? Redis { get; set; }

    /// <summary>The file of the sealing keys, relative to the content root or absolute. Required with <see cref="Redis"/>.</summary>
    public string? SealingKeyPath { get; set; }

    /// <summary>
    /// The longest that one command may take: short enough for a cold vend to pay for it twice and still reach STS in time, long enough that a
    /// busy machine is not taken for a Redis that is gone, which costs a second call to STS.
    /// </summary>
    public static TimeSpan CommandTimeout(IotCredentialsOptions module) => module.Timeout / 5 < TimeSpan.FromSeconds(1) ? module.Timeout / 5 : TimeSpan.FromSeconds(1);
}

/// <summary>Keeps a host from starting with a connection string that would end up in its log.</summary>
internal sealed class SharedCacheCheck : IValidateOptions<SharedCacheOptions>
{
    public ValidateOptionsResult Validate(string? name, SharedCacheOptions options) =>
        options.Redis is { } redis && RedisConnectionString.ProblemOf(redis) is { } problem
            ? ValidateOptionsResult.Fail($"ConnectionStrings:Redis {problem}")
            : ValidateOptionsResult.Success;
}
