using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Edge;
using Testing;
using Vending;

// Whatever was started ends with this process, and so it has to end in an orderly way.
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);

// What the servers write, and what they leave behind when they are killed, goes when they are gone.
RuntimeHelpers.RunClassConstructor(typeof(ChildProcess).TypeHandle);
var folder = Directory.CreateTempSubdirectory("benchmarks-");
Environment.SetEnvironmentVariable("TMPDIR", folder.FullName);
AppDomain.CurrentDomain.ProcessExit += (_, _) => Delete(folder.FullName);

// Production has a redis-server, so figures are of one.
Environment.SetEnvironmentVariable("TEST_REDIS_SERVER", Installed.Find("redis-server"));

return await Arguments.InvokeAsync(args, Benchmark.RunAsync);

static void End(PosixSignalContext signal)
{
    signal.Cancel = true;
    Environment.Exit(130);
}

static void Delete(string folder)
{
    for (var attempt = 0; attempt < 10 && Directory.Exists(folder); attempt++)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (IOException)
        {
            // Interrupted, the stage clears up at the same time.
        }
    }
}
