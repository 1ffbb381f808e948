namespace Testing;

/// <summary>Waits for a condition. It polls at intervals, because a spinning wait takes processor time from the code under test.</summary>
public static class Eventually
{
    /// <summary>The longest wait of a test. It is not a guarantee of the product: machines ten times slower than a developer's have to meet it.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(20);

    /// <summary>Waits until a condition holds.</summary>
    /// <param name="condition">The condition.</param>
    /// <param name="failure">The message, made only when the wait fails.</param>
    public static async Task IsTrueAsync(Func<Task<bool>> condition, Func<string>? failure = null)
    {
        using var limit = new CancellationTokenSource(Limit);
        using var timer = new PeriodicTimer(s_interval);
        while (!await condition())
        {
            try
            {
                await timer.WaitForNextTickAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"The condition did not hold within {Limit}. {failure?.Invoke()}");
            }
        }
    }

    /// <inheritdoc cref="IsTrueAsync(Func{Task{bool}}, Func{string})"/>
    public static Task IsTrueAsync(Func<bool> condition, Func<string>? failure = null) => IsTrueAsync(() => Task.FromResult(condition()), failure);
}
