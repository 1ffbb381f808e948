using System.Collections.Concurrent;
using System.Diagnostics;

namespace Testing;

/// <summary>Starts processes that end with the tests, however these end.</summary>
public static class ChildProcess
{
    private static readonly ConcurrentBag<Process> s_started = [];

    static ChildProcess() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        foreach (var process in s_started)
        {
            try
            {
                process.Kill(entireProcessTree: true);
            }
            catch (InvalidOperationException)
            {
                // Ended, or already disposed of.
            }
        }
    };

    public static Process Start(
        string program, IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string>>? environment = null, Action<string>? onLine = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        // A process that lives for seconds does not earn back what it costs to profile its code.
        start.Environment["DOTNET_TieredPGO"] = "0";
        foreach (var (name, value) in environment ?? []) start.Environment[name] = value;
        var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Read(line.Data);
        process.ErrorDataReceived += (_, line) => Read(line.Data);
        process.Start();
        s_started.Add(process);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;

        void Read(string? line)
        {
            if (line is not null) onLine?.Invoke(line);
        }
    }
}
