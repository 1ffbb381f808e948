using System.Collections;
using Gateway;
using Gateway.Configuration;

var environment = Environment.GetEnvironmentVariable("ASPNETCORE_ENVIRONMENT") ?? Environment.GetEnvironmentVariable("DOTNET_ENVIRONMENT") ?? Environments.Production;
var variables = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(variable => (string)variable.Key, variable => (string?)variable.Value);
var checks = args is ["check", ..];
var read = ConfigurationFolder.Load(checks ? args[1..] : args, environment, variables);
foreach (var finding in read.Findings) Console.Error.WriteLine(finding);
if (checks) return read.CannotRead ? 2 : read.Snapshot is null ? 1 : 0;
if (read.Snapshot is null) return 1;

await using var gateway = GatewayApplication.Build(read.Snapshot, environment);
try
{
    await gateway.StartAsync();
}
catch (Exception e)
{
    // A port that is taken, a certificate that does not open: the reason in a line, no stack trace.
    Console.Error.WriteLine($"error: the gateway cannot start: {e.GetBaseException().Message}{(e.GetBaseException() is System.Net.Sockets.SocketException ? $" ({e.Message})" : "")}");
    return 1;
}

await gateway.WaitForShutdownAsync();
return 0;
