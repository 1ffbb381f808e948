using System.Collections.Concurrent;
using System.Diagnostics;

namespace Testing;

/// <summary>Starts processes that are killed at the latest when the test process exits.</summary>
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
                // The process has ended, or was disposed of.
            }
        }
    };

    public static Process Start(
        string program, IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string>>? environment = null, Action<string>? onLine = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        // In a process that lives for seconds, profiling its code costs more than it saves, and so does counting calls while it starts. The delay is the
        // runtime's default of 100 ms, not the gateway's, which is for one under load.
        start.Environment["DOTNET_TieredPGO"] = "0";
        start.Environment["DOTNET_TC_CallCountingDelayMs"] = "0x64";
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
