using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Testing;

namespace Edge;

/// <summary>A server in a process of its own, with its children, at a port that was free; what it prints goes to a file.</summary>
internal sealed class Server : IDisposable
{
    private const int Attempts = 3;

    // Linux tells processor time in hundredths of a second, whatever the kernel's own clock (man 5 proc).
    private const double Ticks = 100;

    // The runtime's default, which the processes of tests do without; and the gateway's own settings of the compiler, so that its peers are warm as soon as it is.
    private static readonly Dictionary<string, string> s_compiler = new()
    {
        ["DOTNET_TieredPGO"] = "1",
        ["DOTNET_TC_CallCountingDelayMs"] = "1",
        ["DOTNET_TC_CallCountThreshold"] = 2048.ToString("X", CultureInfo.InvariantCulture),
    };

    /// <summary>The compiler's settings unless a program changes them.</summary>
    public static readonly IReadOnlyDictionary<string, string> PlatformDefaults = new Dictionary<string, string>
    {
        ["DOTNET_TC_CallCountingDelayMs"] = 100.ToString("X", CultureInfo.InvariantCulture),
        ["DOTNET_TC_CallCountThreshold"] = 30.ToString("X", CultureInfo.InvariantCulture),
    };

    private readonly Process _process;

    private Server(Process process, int port, string scheme)
    {
        _process = process;
        Port = port;
        Url = $"{scheme}://127.0.0.1:{port}";
    }

    public int Id => _process.Id;

    public int Port { get; }

    public string Url { get; }

    /// <summary>Another server that this one asks about each request, and whose processor time counts as its own; null: none.</summary>
    public Server? Helper { get; init; }

    /// <summary>Processor time that it has used so far, children and helper included.</summary>
    public TimeSpan Processor => TimeSpan.FromSeconds(Processes().Sum(ProcessorTicks) / Ticks) + (Helper?.Processor ?? TimeSpan.Zero);

    /// <summary>Resident memory in bytes.</summary>
    public long Memory => Processes().Sum(id => File.ReadLines($"/proc/{id}/status")
        .Where(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))
        .Sum(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024));

    /// <summary>Starts a program, and waits until it listens.</summary>
    /// <param name="output">The file for what it prints.</param>
    /// <param name="command">Program and arguments for a port.</param>
    /// <param name="environment">Variables beside this process' own.</param>
    /// <param name="scheme">How it is asked.</param>
    /// <param name="helper">See <see cref="Helper"/>; it ends with this server.</param>
    public static async Task<Server> StartAsync(
        string output, Func<int, string[]> command, IEnumerable<KeyValuePair<string, string>>? environment = null, string scheme = "http",
        Server? helper = null)
    {
        for (var attempt = 1; ; attempt++)
        {
            var port = FreePort.Find();
            // The shell gives way to the program: the process that is measured is the program's own.
            var process = ChildProcess.Start(
                "/bin/sh", ["-c", "out=$1; shift; exec \"$@\" >>\"$out\" 2>&1", "sh", output, .. command(port)], [.. s_compiler, .. environment ?? []]);
            if (await ListensAsync(process, port)) return new(process, port, scheme) { Helper = helper };
            // Another program may have taken the port since.
            if (attempt == Attempts)
                throw new InvalidOperationException($"{command(port)[0]} ended with {process.ExitCode}:\n{await File.ReadAllTextAsync(output)}");
        }
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
        Helper?.Dispose();
    }

    private static async Task<bool> ListensAsync(Process process, int port)
    {
        while (!process.HasExited)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync("127.0.0.1", port);
                return true;
            }
            catch (SocketException)
            {
                await Task.Delay(1);
            }
        }

        return false;
    }

    private IEnumerable<string> Processes()
    {
        var id = _process.Id.ToString(CultureInfo.InvariantCulture);
        return File.ReadAllText($"/proc/{id}/task/{id}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries).Prepend(id);
    }

    // The name, second, may hold blanks; user and system time are the 12th and 13th after it.
    private static double ProcessorTicks(string id)
    {
        var stat = File.ReadAllText($"/proc/{id}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture);
    }
}
