namespace Gateway.Management.Console;

/// <summary>The times in every response: a console compares the gateway's with its own, and sees that the gateway was restarted.</summary>
internal sealed class ConsoleClock(TimeProvider time)
{
    public DateTimeOffset Now => time.GetUtcNow();

    public DateTimeOffset Started { get; } = time.GetUtcNow();
}
