using Microsoft.Extensions.Options;

namespace IotCredentials.Redis;

/// <summary>Prevents a host from starting with an invalid connection string, which would end up in its log.</summary>
internal sealed class SharedCacheCheck : IValidateOptions<SharedCacheOptions>
{
    public ValidateOptionsResult Validate(string? name, SharedCacheOptions options) =>
        options.Redis is { } redis && RedisConnectionString.ProblemOf(redis) is { } problem
            ? ValidateOptionsResult.Fail($"ConnectionStrings:Redis {problem}")
            : ValidateOptionsResult.Success;
}
