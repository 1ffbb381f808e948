using System.Collections.Concurrent;
using System.Diagnostics;
using Testing;
using Xunit;

namespace Deployment.Tests;

/// <summary>A program of <c>samples/</c> as a newcomer runs it.</summary>
internal sealed class SampleProcess : IAsyncDisposable
{
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly Process _process;
    private int _read;

    private SampleProcess(string program, string[] arguments, IEnumerable<KeyValuePair<string, string>> environment) =>
        _process = ChildProcess.Start(program, arguments, environment, line =>
        {
            IssuedSecrets.Check("a sample", line);
            _lines.Enqueue(line);
        });

    public string Output => string.Join('\n', _lines);

    public static SampleProcess Start(string program, string[] arguments, IEnumerable<KeyValuePair<string, string>> environment) =>
        new(program, arguments, environment);

    /// <summary>Waits for the next line that contains a text, and returns it.</summary>
    public async Task<string> PrintsAsync(string text)
    {
        string? found = null;
        await Eventually.IsTrueAsync(() => Find() || _process.HasExited, () => $"\"{text}\" was not printed:\n{Output}");
        // The last lines of a process arrive after it has ended.
        if (found is null) await _process.WaitForExitAsync();
        Assert.True(found is not null || Find(), $"\"{text}\" was not printed before the end:\n{Output}");
        return found!;

        bool Find()
        {
            var lines = _lines.ToArray();
            var index = Array.FindIndex(lines, _read, line => line.Contains(text, StringComparison.Ordinal));
            if (index < 0) return false;
            found = lines[index];
            _read = index + 1;
            return true;
        }
    }

    public async Task<int> ExitCodeAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Eventually.Limit);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }
}
