using System.Collections;
using Gateway;
using Gateway.Configuration;

var environment = Environment.GetEnvironmentVariable("ASPNETCORE_ENVIRONMENT") ?? Environment.GetEnvironmentVariable("DOTNET_ENVIRONMENT") ?? Environments.Production;
var variables = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(variable => (string)variable.Key, variable => (string?)variable.Value);
var read = ConfigurationFolder.Load(args, environment, variables);
foreach (var finding in read.Findings) Console.Error.WriteLine(finding);
if (read.Snapshot is null) return 1;

try
{
    await GatewayApplication.Build(read.Snapshot, environment).RunAsync();
    return 0;
}
catch (IOException e)
{
    // A listener that cannot be bound: a taken port is no stack trace.
    Console.Error.WriteLine($"error: {e.Message}");
    return 1;
}
