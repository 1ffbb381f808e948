namespace Gateway.Configuration.Shapes;

/// <summary>Everything that may be written in the configuration.</summary>
internal static class RootShape
{
    private static readonly string[] categories = ["Gateway", "CredentialModule", "Microsoft.AspNetCore", "System.Net.Http", "Yarp"];

    /// <summary>The gateway's own sections, YARP's, and those whose keys their owners alone know.</summary>
    public static ObjectShape Value { get; } = new(
        OptionsShape.OfRecord(typeof(GatewayOptions)).Members.Values.Select(WithSignInKeys).Concat(
        [
            new Member("ReverseProxy", YarpShape.Read()),
            new Member("Logging", Logging()),
            new Member("Kestrel", Kestrel()),
            new Member("$schema", ScalarShape.Text),
        ]));

    private static Member WithSignInKeys(Member member) =>
        member is { Name: nameof(GatewayOptions.AzureAd), Shape: ObjectShape section }
            ? member with { Shape = new ObjectShape(section.Members.Values.Concat(AzureAdSignInKeys.Members.Where(key => !section.Members.ContainsKey(key.Name)))) }
            : member;

    // Beside levels there stand the names of log providers, each with levels of its own.
    private static OpenShape Logging()
    {
        var level = ScalarShape.Enumeration(typeof(LogLevel));
        var levels = new Member("LogLevel", new OpenShape([new("Default", level), .. categories.Select(name => new Member(name, level))], level));
        return new OpenShape([levels], new OpenShape([levels], new FreeShape()));
    }

    private static OpenShape Kestrel()
    {
        var certificate = new Member("Certificate", Known("Path", "KeyPath", "Password", "Subject", "Store", "Location", "AllowInvalid"));
        Member[] connection = [.. Known("Protocols", "SslProtocols", "ClientCertificateMode").Members.Values, certificate];
        var host = new OpenShape(connection, new FreeShape());
        return new OpenShape(
            [
                new("Endpoints", new MapShape(new OpenShape([.. connection, new("Url", ScalarShape.Text), new("Sni", new MapShape(host))], new FreeShape()))),
                new("EndpointDefaults", host),
                new("Certificates", new MapShape(certificate.Shape)),
                new("Limits", KestrelLimitsShape.Read()),
            ],
            new FreeShape());
    }

    private static OpenShape Known(params IEnumerable<string> names) =>
        new(names.Select(name => new Member(name, new FreeShape())), new FreeShape());
}
