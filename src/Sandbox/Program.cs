using System.Net.Sockets;
using System.Runtime.InteropServices;
using Gateway.Management;
using Sandbox;

if (SandboxArguments.Read(args) is not { } arguments)
{
    Console.Error.WriteLine(SandboxArguments.Usage);
    return 2;
}

using var stop = new CancellationTokenSource();

// Taken before anything runs, so that an early Ctrl-C leaves no temporary folder behind either.
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);

try
{
    using var secrets = new SealingKeyFolder();
    await using var issuer = await OpenIdProvider.StartAsync();
    await using var aws = await AwsEmulator.StartAsync();
    await using var redis = await EmbeddedRedis.StartAsync();
    await using var service = await OrganizationService.StartAsync();

    SandboxGateway.ReplaceEnvironment(aws.EnvironmentVariables);
    var configuration = SandboxGateway.Load(
    [
        $"Urls=http://127.0.0.1:{arguments.Port}",
        $"Management:Url=http://127.0.0.1:{arguments.ManagementPort}",
        $"ConnectionStrings:Redis={redis.ConnectionString}",
        $"Sealing:KeyPath={secrets.KeyPath}",
        $"Authentication:Schemes:Platform:Authority={issuer.Issuer}",
        "Authentication:Schemes:Platform:RequireHttpsMetadata=false",
        $"ReverseProxy:Clusters:organizations:Destinations:a:Address={service.Url}",
    ]);
    foreach (var finding in configuration.Findings) Console.Error.WriteLine(finding);
    if (configuration.Snapshot is null) return 1;

    await using var gateway = SandboxGateway.Build(configuration.Snapshot);
    await gateway.StartAsync(stop.Token);
    var management = gateway.Services.GetRequiredService<ManagementServer>();
    Console.WriteLine(Welcome.Text(gateway.Urls.Single(), management.Url, configuration.Snapshot.Folder, issuer, aws, redis, service));
    await gateway.WaitForShutdownAsync(stop.Token);
    return 0;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    return 0;
}
catch (Exception e) when (e.GetBaseException() is SocketException)
{
    // Kestrel names the address only where it is taken, not where it is forbidden.
    var reason = e is SocketException ? $"Failed to listen on port {arguments.Port}: {e.Message}." : e.Message;
    Console.Error.WriteLine($"error: {reason} {SandboxArguments.Remedy}");
    return 1;
}

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}
