using IotCredentials.Failures;
using IotCredentials.Operations;

namespace Gateway.Commands.Doctor;

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
    /// <param name="name">The name of the check.</param>
    /// <param name="timeout">The longest that the check may take.</param>
    /// <param name="check">Runs the check and records what it waits for.</param>
    /// <param name="otherwise">The outcome when the check fails or times out.</param>
    public static async Task<DoctorResult> OfAsync(
        string name, TimeSpan timeout, Func<DiagnosticProgress, CancellationToken, Task<(Outcome, string)>> check, Outcome otherwise = Outcome.Failed)
    {
        var progress = new DiagnosticProgress();
        using var deadline = new CancellationTokenSource(timeout);
        try
        {
            // WaitAsync is needed because some operations ignore cancellation.
            var (outcome, found) = await Task.Run(() => check(progress, deadline.Token)).WaitAsync(deadline.Token);
            return new(name, outcome, found);
        }
        // The call that is cancelled may be the first to notice, with an exception of its own.
        catch (Exception) when (deadline.IsCancellationRequested)
        {
            return new(name, otherwise, $"no response within {timeout.TotalSeconds} s{(progress.WaitsFor is { } what ? $": {what}" : "")}");
        }
        catch (Exception e)
        {
            return new(name, otherwise, Reason(e));
        }
    }

    private static string Reason(Exception error) => error is VendingException known ? known.Message : $"cannot be used ({FailureText.Of(error)})";
}
