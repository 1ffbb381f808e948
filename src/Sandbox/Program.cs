using System.Net.Sockets;
using System.Runtime.InteropServices;
using Sandbox;
using Sandbox.IotDataPlane;

if (SandboxArguments.Read(args) is not { } arguments)
{
    Console.Error.WriteLine(SandboxArguments.Usage);
    return 2;
}

using var stop = new CancellationTokenSource();

// Registered before anything runs, so that an early Ctrl-C leaves no temporary folder behind either.
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);

try
{
    LocalServer.ThrowIfTaken(arguments.Port, arguments.ManagementPort);
    Console.WriteLine("Starting an OpenID provider");
    await using var issuer = await OpenIdProvider.StartAsync();
    using var secrets = new SecretFolder(issuer.IntrospectionSecret);
    Console.WriteLine("Starting an emulator of AWS STS and AWS IoT");
    await using var aws = await AwsEmulator.StartAsync();
    aws.LongestSession = arguments.SessionDuration;
    await using var iot = await IotDataEndpoint.StartAsync(aws, organizations: ["o-acme", "o-globex", "o-initech"]);
    if (arguments.IsAzure) Console.WriteLine("Starting an emulator of Azure's managed identities");
    await using var azure = arguments.IsAzure ? await AzureEmulator.StartAsync() : null;
    azure?.LetIn(aws);
    Console.WriteLine("Starting a Redis");
    await using var redis = await EmbeddedRedis.StartAsync();
    Console.WriteLine("Starting a downstream service");
    await using var service = await OrganizationService.StartAsync();

    var folder = Path.GetFullPath(arguments.Folder ?? SandboxGateway.DefaultFolder());
    Console.WriteLine($"Starting the gateway with {folder}");
    // With an Azure identity the gateway has no AWS key.
    KeyValuePair<string, string>[] variables = [.. aws.EnvironmentVariables, iot.EnvironmentVariable];
    SandboxGateway.ReplaceEnvironment(azure is null
        ? variables
        : [.. variables.Where(static variable => !AwsEmulator.IsKey(variable.Key)), .. azure.InstanceMetadataVariables]);
    // These stand for an operator's environment: the addresses of the platform's parts.
    string[] platform =
    [
        $"ConnectionStrings:Redis={redis.ConnectionString}",
        $"Sealing:KeyPath={secrets.KeyPath}",
        $"Authentication:Schemes:Platform:Authority={issuer.Issuer}",
        "Authentication:Schemes:Platform:RequireHttpsMetadata=false",
        $"Authentication:Introspection:Address={issuer.Issuer}/introspect",
        "Authentication:Introspection:ClientId=gateway",
        $"Authentication:Introspection:ClientSecretPath={secrets.IntrospectionSecretPath}",
        "Authentication:Introspection:Organizations:Claim=organizations",
        // Everyone whom the provider signs in may use the console.
        "Management:AuthorizationPolicy=SandboxOperators",
        $"Authorization:Policies:SandboxOperators:Roles:0={OpenIdProvider.OperatorRole}",
        $"Management:Console:Authority={issuer.Issuer}",
        "Management:Console:ClientId=gateway-console",
        "Management:Console:Scope=openid",
        $"ReverseProxy:Clusters:organizations:Destinations:a:Address={service.Url}",
        .. arguments.SessionDuration is { } duration
            ? [$"IotCredentials:Profiles:default:RefreshAfter={duration / 2:c}", "IotCredentials:Profiles:default:MinimumLifetime=00:00:00"]
            : (string[])[],
        .. azure is null
            ? []
            : (string[])
            [
                "IotCredentials:AwsIdentity:Source=Azure",
                $"IotCredentials:AwsIdentity:RoleArn={AzureEmulator.RoleArn}",
                $"IotCredentials:AwsIdentity:Audience={AzureEmulator.Audience}",
            ],
    ];
    await using var gateway = SandboxGateway.Create(
        folder, [$"Urls=http://127.0.0.1:{arguments.Port}", $"Management:Url=http://127.0.0.1:{arguments.ManagementPort}", .. platform], out var findings);
    foreach (var finding in findings) Console.Error.WriteLine(finding);
    if (gateway is null) return 1;

    await gateway.StartAsync(stop.Token);
    var broker = iot.Url.Replace("http:", "ws:", StringComparison.Ordinal);
    await using var page = await SamplePage.StartAsync(issuer, Welcome.Organization, broker, gateway.Url);
    Console.WriteLine(Welcome.Text(gateway.Url, gateway.ManagementUrl, page.Link, folder, platform, issuer, aws, iot.Url, variables, azure, redis, service));
    await gateway.WaitForShutdownAsync(stop.Token);
    return 0;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    return 0;
}
catch (Exception e) when (e.GetBaseException() is SocketException)
{
    // Kestrel names the address if the port is taken, but not if it is forbidden.
    var reason = e is SocketException ? $"Failed to listen on port {arguments.Port}: {e.Message}." : e.Message;
    Console.Error.WriteLine($"error: {reason} {SandboxArguments.Remedy}");
    return 1;
}

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}
