namespace Sandbox;

/// <summary>The text that the sandbox prints once it is running.</summary>
internal static class Welcome
{
    /// <summary>The organization of the caller in the examples.</summary>
    public const string Organization = "o-acme";
    private const string Another = "o-globex";
    private const string Command = """{"light":"on"}""";
    private const string CredentialsPath = $"/organizations/{Organization}/iot-endpoint-and-credentials";

    /// <param name="gateway">The public edge.</param>
    /// <param name="management">The management listener.</param>
    /// <param name="page">The link to the sample's page.</param>
    /// <param name="folder">The folder of the gateway's configuration, which is reloaded when it changes.</param>
    /// <param name="platform">The settings, each <c>KEY=VALUE</c>, that direct a gateway to the sandbox's parts.</param>
    /// <param name="issuer">The OpenID provider.</param>
    /// <param name="aws">STS and AWS IoT.</param>
    /// <param name="iotData">The data endpoint of AWS IoT.</param>
    /// <param name="variables">The AWS SDK's environment variables, which direct a process to STS, AWS IoT and its data endpoint.</param>
    /// <param name="azure">Azure's managed identities; null if the gateway has an AWS key.</param>
    /// <param name="redis">The Redis.</param>
    /// <param name="service">The downstream service.</param>
    public static string Text(
        string gateway,
        string management,
        string page,
        string folder,
        IEnumerable<string> platform,
        OpenIdProvider issuer,
        AwsEmulator aws,
        string iotData,
        IEnumerable<KeyValuePair<string, string>> variables,
        AzureEmulator? azure,
        EmbeddedRedis redis,
        OrganizationService service) => $"""

        The sandbox is running. Ctrl-C ends it.

          gateway        {gateway}
          management     {management}/health/ready and {management}/metrics
          console        {management}/console?sign-in (it signs you in)
          sample page    {page} (follows the device {Organization}-sensor; samples/browser)
          issuer         {issuer.Issuer}
          STS and IoT    {aws.Url}{Azure(azure)}
          IoT data       {iotData} (HTTP) and {iotData.Replace("http:", "ws:", StringComparison.Ordinal)}/mqtt (MQTT)
          Redis          {redis.ConnectionString}
          service        {service.Url}
          configuration  {folder} (edit it: a change is in force as soon as it is saved)

        Credentials of the organization {Organization}, for a member of it (200):
        {Curl(issuer, $"{gateway}{CredentialsPath}")}

        A route of {Organization} that the gateway passes to the service, which echoes it (200):
        {Curl(issuer, $"{gateway}/organizations/{Organization}/devices")}

        The same member asks for another organization's credentials (403):
        {Curl(issuer, $"{gateway}/organizations/{Another}/iot-endpoint-and-credentials")}

        A client connects to the IoT data address above in place of the vended iotEndpoint, whose name only AWS resolves, and signs for it:
        service iotdevicegateway, the vended awsRegion. The samples and the AWS SDK take it from AWS_ENDPOINT_URL_IOT_DATA_PLANE.
        The device {Organization}-sensor publishes to {Organization}/sensor/telemetry each second, and obeys {Organization}/sensor/commands: {Command}

        The AWS SDK of any other program finds this STS and AWS IoT by these variables:
        export {Variables(variables)}

        In a terminal with these variables, the gateway's commands see this sandbox (check and doctor take the same keys):
        {Explain(folder, platform)}

        """;

    private static string Curl(OpenIdProvider issuer, string url) =>
        $"""curl -sS -w '\n' -H "Authorization: Bearer $(curl -sS -H 'Accept: text/plain' '{issuer.Issuer}/token?organization={Organization}')" {url}""";

    private static string Azure(AzureEmulator? azure) =>
        azure is null ? "" : $"\n  Azure          {azure.Url} (the gateway has no AWS key: it exchanges this managed identity's tokens)";

    private static string Variables(IEnumerable<KeyValuePair<string, string>> variables) =>
        string.Join(' ', variables.Select(static variable => $"{variable.Key}={Quoted(variable.Value)}"));

    private static string Explain(string folder, IEnumerable<string> platform)
    {
        var program = SandboxGateway.Repository() is { } root
            ? $"dotnet run --project {Quoted(Path.Combine(root, "src", "Gateway"))} --"
            : $"dotnet {Quoted(Path.Combine(AppContext.BaseDirectory, "Gateway.dll"))}";
        return $"{program} explain --path {CredentialsPath} --config {Quoted(folder)} {string.Join(' ', platform.Select(Quoted))}";
    }

    // Quotes for a POSIX shell.
    private static string Quoted(string text) =>
        text.All(static character => char.IsAsciiLetterOrDigit(character) || "/:=._-".Contains(character, StringComparison.Ordinal))
            ? text
            : $"'{text.Replace("'", @"'\''", StringComparison.Ordinal)}'";
}
