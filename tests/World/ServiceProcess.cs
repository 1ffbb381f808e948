using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;

namespace Testing;

/// <summary>A downstream service in a process of its own, to be killed, paused and restarted at the same port.</summary>
public sealed class ServiceProcess : IAsyncDisposable
{
    private Process _process = null!;

    private ServiceProcess(int port) => Port = port;

    public int Port { get; }

    public string Url => $"http://127.0.0.1:{Port}/";

    public static async Task<ServiceProcess> StartAsync()
    {
        var service = new ServiceProcess(FreePort.Find());
        await service.RestartAsync();
        return service;
    }

    public async Task RestartAsync()
    {
        string[] arguments =
        [
            "exec", "--runtimeconfig", Path.Combine(AppContext.BaseDirectory, "ServiceHost.runtimeconfig.json"), Path.Combine(AppContext.BaseDirectory, "ServiceHost.dll"),
            Port.ToString(CultureInfo.InvariantCulture),
        ];
        _process = ChildProcess.Start("dotnet", arguments);
        while (true)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync("127.0.0.1", Port);
                return;
            }
            catch (SocketException) when (!_process.HasExited)
            {
                await Task.Yield();
            }
        }
    }

    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Stops it in its tracks: connections are taken, nothing is answered.</summary>
    public void Pause() => Signal("STOP");

    public void Resume() => Signal("CONT");

    private void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await KillAsync();
        _process.Dispose();
    }
}
