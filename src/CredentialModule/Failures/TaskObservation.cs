namespace IotCredentials.Failures;

/// <summary>Observes the exceptions of tasks.</summary>
internal static class TaskObservation
{
    /// <summary>Observes the exception of a task, because all waiters may have left by the time the task fails.</summary>
    public static T ObserveException<T>(this T task) where T : Task
    {
        _ = task.ContinueWith(static failed => failed.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        return task;
    }
}
