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
AppDomain.CurrentDomain.ProcessExit += (_, _) => folder.Delete(recursive: true);

// Production has a redis-server, so figures are of one.
Environment.SetEnvironmentVariable("TEST_REDIS_SERVER", Installed.Find("redis-server"));

return await Arguments.InvokeAsync(args, Benchmark.RunAsync);

static void End(PosixSignalContext signal)
{
    signal.Cancel = true;
    Environment.Exit(130);
}
