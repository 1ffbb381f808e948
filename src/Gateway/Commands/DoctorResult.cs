using IotCredentials.Failures;

namespace Gateway.Commands;

/// <summary>The state of a dependency.</summary>
internal enum Outcome
{
    Ok,

    /// <summary>The gateway can serve without it.</summary>
    Warning,

    /// <summary>The gateway needs it to serve.</summary>
    Failed,
}

/// <summary>The result of checking one dependency.</summary>
/// <param name="Check">The name of the check.</param>
/// <param name="Outcome">The dependency's state.</param>
/// <param name="Found">The details, on one line and without secrets.</param>
internal sealed record DoctorResult(string Check, Outcome Outcome, string Found)
{
    /// <summary>Checks a dependency within a timeout.</summary>
    /// <param name="check">The name of the check.</param>
    /// <param name="timeout">The longest that the check may take.</param>
    /// <param name="look">Runs the check and records what it waits for.</param>
    /// <param name="otherwise">The outcome when the check fails or times out.</param>
    public static async Task<DoctorResult> OfAsync(
        string check, TimeSpan timeout, Func<Waiting, CancellationToken, Task<(Outcome, string)>> look, Outcome otherwise = Outcome.Failed)
    {
        var waiting = new Waiting();
        using var deadline = new CancellationTokenSource(timeout);
        try
        {
            // WaitAsync is needed because some operations ignore cancellation.
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

/// <summary>Describes the operation that a check is waiting for. It is reported when the check times out.</summary>
internal sealed class Waiting
{
    private volatile string? _for;

    public string? For
    {
        get => _for;
        set => _for = value;
    }
}
