namespace Sandbox;

/// <summary>What the sandbox prints once it runs.</summary>
internal static class Welcome
{
    private const string Organization = "o-acme";
    private const string Another = "o-globex";

    public static string Text(
        string gateway,
        string management,
        string folder,
        OpenIdProvider issuer,
        AwsEmulator aws,
        EmbeddedRedis redis,
        OrganizationService service) => $"""
        The sandbox is running. Ctrl-C ends it.

          gateway        {gateway}
          management     {management}/health/ready and {management}/metrics
          issuer         {issuer.Issuer}
          STS and IoT    {aws.Url}
          Redis          {redis.ConnectionString}
          service        {service.Url}
          configuration  {folder}

        Credentials of the organization {Organization}, for a member of it (200):
        {Curl(issuer, $"{gateway}/organizations/{Organization}/iot-endpoint-and-credentials")}

        A route of {Organization} that the gateway passes to the service, which echoes it (200):
        {Curl(issuer, $"{gateway}/organizations/{Organization}/devices")}

        The same member asks for another organization's credentials (403):
        {Curl(issuer, $"{gateway}/organizations/{Another}/iot-endpoint-and-credentials")}

        """;

    private static string Curl(OpenIdProvider issuer, string url) =>
        $"""curl -sS -w '\n' -H "Authorization: Bearer $(curl -sS -H 'Accept: text/plain' '{issuer.Issuer}/token?organization={Organization}')" {url}""";
}
