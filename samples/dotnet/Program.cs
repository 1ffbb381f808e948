// Follows an organization's devices: prints their messages and publishes one of its own, until it is interrupted or may no longer connect.
using System.Diagnostics;
using System.Text.Json;
using Amazon;
using Amazon.SecurityToken;
using Amazon.SecurityToken.Model;
using IotClient;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;

if (Environment.GetEnvironmentVariable("GATEWAY_URL") is not { } gateway
    || Environment.GetEnvironmentVariable("ORGANIZATION_ID") is not { } organization
    || Environment.GetEnvironmentVariable("TOKEN_FILE") is not { } tokenFile)
{
    Console.Error.WriteLine("usage: GATEWAY_URL=https://… ORGANIZATION_ID=… TOKEN_FILE=… dotnet run");
    return 2;
}

// The AWS SDK's own variable, for the sandbox. At AWS the gateway names the endpoint.
var sandbox = Environment.GetEnvironmentVariable("AWS_ENDPOINT_URL_IOT_DATA_PLANE");
foreach (var address in (string?[])[gateway, sandbox])
{
    if (address is null || (Uri.TryCreate(address, UriKind.Absolute, out var uri) && (uri.Scheme == "https" || uri.IsLoopback))) continue;
    Console.Error.WriteLine($"{address}: only https takes a token or credentials off this machine");
    return 2;
}

// A proxy has no business between this machine and itself. The AWS SDK and WebSockets read this variable, too: in lower case if it is set.
var noProxy = Environment.GetEnvironmentVariable("no_proxy") is null ? "NO_PROXY" : "no_proxy";
Environment.SetEnvironmentVariable(noProxy, $"{Environment.GetEnvironmentVariable(noProxy)},127.0.0.1,localhost,[::1]");

// One connection per client id: a second one with the same id ends the first, so that each process has an id of its own.
var clientId = $"{organization}-web-{Guid.NewGuid():N}"[..(organization.Length + 13)];

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, key) =>
{
    key.Cancel = true;
    stop.Cancel();
};
using var source = new CredentialSource(new Uri(gateway), organization, tokenFile, TimeProvider.System);
using var client = new MqttClientFactory().CreateMqttClient();
client.ApplicationMessageReceivedAsync += received =>
{
    Console.WriteLine($"{received.ApplicationMessage.Topic} {received.ApplicationMessage.ConvertPayloadToString()}");
    return Task.CompletedTask;
};

try
{
    await WhoAmIAsync();
    await FollowAsync();
    return 0;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    return 0;
}
catch (StoppedException e)
{
    Console.Error.WriteLine($"stopped: {e.Message}");
    return 1;
}

// Any client of the AWS SDK takes the same credentials. What they allow is the session policy's to say; everyone may ask for his own name.
async Task WhoAmIAsync()
{
    var region = (await source.GetAsync(stop.Token)).AwsRegion;
    using var credentials = new GatewayCredentials(source, TimeProvider.System);
    using var sts = new AmazonSecurityTokenServiceClient(credentials, RegionEndpoint.GetBySystemName(region));
    var identity = await sts.GetCallerIdentityAsync(new GetCallerIdentityRequest(), stop.Token);
    Console.WriteLine($"AWS knows this program as {identity.Arn}");
}

async Task FollowAsync()
{
    EndpointAndCredentials? inUse = null;
    var open = Stopwatch.StartNew();
    var failures = 0;
    while (true)
    {
        var credentials = await source.GetAsync(stop.Token);
        if (!client.IsConnected || credentials != inUse)
        {
            // A connection that has not subscribed counts as none.
            inUse = null;
            try
            {
                await ConnectAsync(credentials);
                inUse = credentials;
                open.Restart();
            }
            catch (Exception e) when (e is MqttCommunicationException || IsTimeout(e))
            {
                source.Expire();
                await WaitAsync(IsTimeout(e) ? "the broker does not respond" : e.Message);
                continue;
            }
        }

        // A second at a time: a timer until the refresh would be late by as long as the machine has slept.
        await Task.Delay(TimeSpan.FromSeconds(1), stop.Token);
        if (!client.IsConnected) await WaitAsync("the connection is lost");
        else if (open.Elapsed > TimeSpan.FromMinutes(1)) failures = 0;
    }

    async Task WaitAsync(string reason)
    {
        var wait = CredentialSource.Backoff(failures++);
        Console.WriteLine($"reconnecting in {wait.TotalSeconds:F1} s: {reason}");
        await Task.Delay(wait, stop.Token);
    }

    bool IsTimeout(Exception e) => e is OperationCanceledException && !stop.IsCancellationRequested;
}

async Task ConnectAsync(EndpointAndCredentials credentials)
{
    var timeout = TimeSpan.FromSeconds(15);
    // MQTTnet does not apply the timeout of its options to a call with a token that can be cancelled.
    using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
    limit.CancelAfter(timeout);
    if (client.IsConnected) await client.DisconnectAsync(cancellationToken: limit.Token);
    var broker = new Uri(sandbox?.Replace("http", "ws", StringComparison.Ordinal) ?? $"wss://{credentials.IotEndpoint}");
    var options = new MqttClientOptionsBuilder()
        .WithClientId(clientId)
        .WithProtocolVersion(MqttProtocolVersion.V311)
        .WithKeepAlivePeriod(TimeSpan.FromMinutes(1))
        .WithTimeout(timeout)
        .WithWebSocketServer(server => server.WithUri(BrokerAddress.Sign(broker, credentials, source.Now)))
        .Build();
    var connected = await client.ConnectAsync(options, limit.Token);
    if (connected.ResultCode != MqttClientConnectResultCode.Success) throw new MqttCommunicationException(connected.ResultCode.ToString());
    var subscribed = await client.SubscribeAsync($"{organization}/#", cancellationToken: limit.Token);
    if (subscribed.Items.Any(item => item.ResultCode > MqttClientSubscribeResultCode.GrantedQoS2))
        throw new StoppedException($"the session policy does not allow to subscribe to {organization}/#");
    await client.PublishStringAsync($"{organization}/web/{clientId}", JsonSerializer.Serialize(new { hello = source.Now }), cancellationToken: limit.Token);
    Console.WriteLine($"connected as {clientId}");
}
