using System.Reflection;
using StackExchange.Redis;

namespace Gateway.Tests.RateLimiting;

/// <summary>A connection to a Redis that works, but for one command that throws.</summary>
public class RefusingRedis : DispatchProxy
{
    private object _inner = null!;
    private string _command = "";
    private Exception _error = null!;

    public static IConnectionMultiplexer Of(IConnectionMultiplexer redis, string command, Exception error) => Wrap(redis, command, error);

    private static T Wrap<T>(T inner, string command, Exception error) where T : class
    {
        var proxy = Create<T, RefusingRedis>();
        var self = (RefusingRedis)(object)proxy;
        (self._inner, self._command, self._error) = (inner, command, error);
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (targetMethod!.Name == _command) throw _error;
        var result = targetMethod.Invoke(_inner, args);
        return result is IDatabase database ? Wrap(database, _command, _error) : result;
    }
}
