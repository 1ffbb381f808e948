using Microsoft.Extensions.Logging.Console;

namespace Gateway.Configuration.Schema;

/// <summary>The schema of the whole configuration.</summary>
internal static class RootSchema
{
    private static readonly string[] s_categories = ["Gateway", "IotCredentials", "Microsoft.AspNetCore", "System.Net.Http", "Yarp"];

    /// <summary>The gateway's own sections, YARP's section, and sections whose keys only other libraries know.</summary>
    public static ObjectSchema Value { get; } = new(
        OptionsSchema.OfRecord(typeof(GatewayOptions)).Members.Values.Select(WithSignInKeys).Select(WithAdvice).Concat(
        [
            new Member("ReverseProxy", YarpSchema.Read()),
            new Member("Logging", Logging()),
            new Member("Kestrel", Kestrel()),
            new Member("$schema", ScalarSchema.Text),
        ]));

    private static Member WithSignInKeys(Member member) =>
        member is { Name: nameof(GatewayOptions.AzureAd), Schema: ObjectSchema section }
            ? member with { Schema = WithSignInKeys(section) }
            : member;

    private static ObjectSchema WithSignInKeys(ObjectSchema section) =>
        new(section.Members.Values.Concat(AzureAdSignInKeys.Members.Where(key => !section.Members.ContainsKey(key.Name))));

    // What applications keep in these sections beside what the gateway reads.
    private static Member WithAdvice(Member member) => (member.Name, member.Schema) switch
    {
        (nameof(GatewayOptions.ConnectionStrings), ObjectSchema section) =>
            member with { Schema = section with { Otherwise = "The gateway connects to no other store: remove it." } },
        (nameof(GatewayOptions.Authentication), ObjectSchema section) => member with
        {
            Schema = new ObjectSchema(section.Members.Values.Select(WithAdvice))
            {
                Otherwise = "An issuer's keys, such as Authority and ValidAudiences, stand under Authentication:Schemes:NAME. Remove other keys.",
            },
        },
        (nameof(AuthenticationSchemesOptions.Schemes), MapSchema { Value: ObjectSchema scheme }) => member with
        {
            Schema = new MapSchema(scheme with { Otherwise = "ValidIssuers and ValidAudiences stand beside Authority. Remove other keys." }),
        },
        _ => member,
    };

    // Besides levels, the section contains log providers by name, each with its own levels.
    private static OpenSchema Logging()
    {
        var level = ScalarSchema.Enumeration(typeof(LogLevel));
        var levels = new Member("LogLevel", new OpenSchema([new("Default", level), .. s_categories.Select(name => new Member(name, level))], level));
        return new OpenSchema([levels, new("Console", Console(levels, level))], new OpenSchema([levels], new AnySchema()));
    }

    // The keys that BufferedConsole and the framework's formatters read.
    private static ObjectSchema Console(Member levels, ScalarSchema level) => new(
    [
        levels,
        new("LogToStandardErrorThreshold", level),
        new("FormatterName", ScalarSchema.Choice([ConsoleFormatterNames.Simple, ConsoleFormatterNames.Json, ConsoleFormatterNames.Systemd])),
        new("FormatterOptions", new ObjectSchema(
        [
            new("IncludeScopes", ScalarSchema.Boolean), new("TimestampFormat", ScalarSchema.Text), new("UseUtcTimestamp", ScalarSchema.Boolean),
            new("SingleLine", ScalarSchema.Boolean), new("ColorBehavior", ScalarSchema.Enumeration(typeof(LoggerColorBehavior))),
            new("JsonWriterOptions", new AnySchema()),
        ])),
    ]);

    private static OpenSchema Kestrel()
    {
        var certificate = new Member("Certificate", Known("Path", "KeyPath", "Password", "Subject", "Store", "Location", "AllowInvalid"));
        Member[] defaults =
            [.. Known("Protocols", "ClientCertificateMode").Members.Values, new("SslProtocols", new ListSchema(ScalarSchema.Text))];
        Member[] connection = [.. defaults, certificate];
        var host = new OpenSchema(connection, new AnySchema());
        return new OpenSchema(
            [
                new("Endpoints",
                    new MapSchema(new OpenSchema([.. connection, new("Url", ScalarSchema.Text), new("Sni", new MapSchema(host))], new AnySchema()))),
                new("EndpointDefaults", new ObjectSchema(defaults)),
                new("Certificates", new MapSchema(certificate.Schema)),
                new("Limits", KestrelLimitsSchema.Read()),
            ],
            new AnySchema());
    }

    private static OpenSchema Known(params IEnumerable<string> names) =>
        new(names.Select(name => new Member(name, new AnySchema())), new AnySchema());
}
