using CredentialModule.Telemetry;
using CredentialModule.Vending;

namespace Gateway.Commands;

/// <summary>How a dependency is.</summary>
internal enum Outcome
{
    Ok,

    /// <summary>The gateway serves all the same.</summary>
    Warning,

    /// <summary>Something that serving needs.</summary>
    Failed,
}

/// <summary>What was found of one dependency.</summary>
/// <param name="Check">What was looked at.</param>
/// <param name="Outcome">How it is.</param>
/// <param name="Found">What was found, on one line. Nothing secret.</param>
internal sealed record Diagnosis(string Check, Outcome Outcome, string Found)
{
    /// <summary>Looks at a dependency, for so long at most.</summary>
    /// <param name="check">What is looked at.</param>
    /// <param name="timeout">How long.</param>
    /// <param name="look">Looks, and says what it waits for.</param>
    /// <param name="otherwise">How it is when looking fails.</param>
    public static async Task<Diagnosis> OfAsync(
        string check, TimeSpan timeout, Func<Waiting, CancellationToken, Task<(Outcome, string)>> look, Outcome otherwise = Outcome.Failed)
    {
        var waiting = new Waiting();
        using var deadline = new CancellationTokenSource(timeout);
        try
        {
            // Not everything that is asked stops when it is told to.
            var (outcome, found) = await Task.Run(() => look(waiting, deadline.Token)).WaitAsync(deadline.Token);
            return new(check, outcome, found);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            return new(check, otherwise, $"no answer within {timeout.TotalSeconds} s{(waiting.For is { } what ? $": {what}" : "")}");
        }
        catch (Exception e)
        {
            return new(check, otherwise, Reason(e));
        }
    }

    private static string Reason(Exception error) => error is VendingException known ? known.Message : $"cannot be used ({FailureText.Of(error)})";
}

/// <summary>What a look at a dependency waits for, to be said when its time is up.</summary>
internal sealed class Waiting
{
    private volatile string? _for;

    public string? For
    {
        get => _for;
        set => _for = value;
    }
}
