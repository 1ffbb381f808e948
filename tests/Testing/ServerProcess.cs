using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;

namespace Testing;

/// <summary>A server in a process of its own, which a test can kill, pause and restart on the same port.</summary>
public abstract class ServerProcess : IAsyncDisposable
{
    private Process _process = null!;

    public int Port { get; } = FreePort.Find();

    /// <summary>Starts it, and waits until it listens.</summary>
    public virtual async Task RestartAsync()
    {
        _process = Start();
        await Eventually.IsTrueAsync(async () =>
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync("127.0.0.1", Port);
                return true;
            }
            catch (SocketException) when (!_process.HasExited)
            {
                return false;
            }
        });
    }

    public virtual async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Suspends the process: connections stay open and new ones are accepted, but nothing gets a response.</summary>
    public virtual void Pause() => Signal("STOP");

    public void Resume() => Signal("CONT");

    public virtual async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await KillAsync();
        _process.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Starts the server's process.</summary>
    protected abstract Process Start();

    /// <summary>Starts a program that was built beside the tests, with the port as its argument.</summary>
    protected Process StartBuilt(string program) => ChildProcess.Start("dotnet",
    [
        "exec", "--runtimeconfig", Path.Combine(AppContext.BaseDirectory, $"{program}.runtimeconfig.json"),
        Path.Combine(AppContext.BaseDirectory, $"{program}.dll"),
        Port.ToString(CultureInfo.InvariantCulture),
    ]);

    private void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }
}
