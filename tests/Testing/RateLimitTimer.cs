using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Testing;

/// <summary>
/// The framework's rate limiting middleware never disposes of its limiter, whose timer keeps a whole gateway in memory after its end. A process that starts
/// hundreds of gateways stops it itself.
/// </summary>
internal sealed class RateLimitTimer : IStartupFilter, IDisposable
{
    private const BindingFlags Fields = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    private RequestDelegate? _pipeline;

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(pipeline => _pipeline = pipeline);
        next(app);
    };

    /// <exception cref="InvalidOperationException">The framework has changed: its limiter is not where it was.</exception>
    public void Dispose()
    {
        if (_pipeline is null) return;
        var limiter = Find(_pipeline) ?? throw new InvalidOperationException("The pipeline has no rate limiting middleware with an _endpointLimiter.");
        limiter.Dispose();
        _pipeline = null;
    }

    // Steps are lambdas, whose variables are fields of compiled classes, or the framework's own objects.
    private static IDisposable? Find(object? step)
    {
        if (step is RequestDelegate next) step = next.Target;
        if (step is null) return null;
        for (var type = step.GetType(); type is not null; type = type.BaseType)
        {
            if (type.GetField("_endpointLimiter", Fields)?.GetValue(step) is IDisposable limiter) return limiter;
            var steps = type.GetFields(Fields).Where(static field =>
                field.FieldType == typeof(RequestDelegate) || field.FieldType.Name.Contains("DisplayClass", StringComparison.Ordinal));
            if (steps.Select(field => Find(field.GetValue(step))).FirstOrDefault(static found => found is not null) is { } found) return found;
        }

        return null;
    }
}
