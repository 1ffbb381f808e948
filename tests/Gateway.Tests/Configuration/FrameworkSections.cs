using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Gateway.Configuration.Schema;
using Gateway.Telemetry;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace Gateway.Tests.Configuration;

/// <summary>Writes the JSON schema of <c>Kestrel</c> and <c>Logging</c>, with the keys that have an effect. Other names are allowed there.</summary>
internal static class FrameworkSections
{
    public static JsonObject Kestrel() => Section(
        "Kestrel's own section: Endpoints, EndpointDefaults, Certificates, Limits.",
        ("Endpoints", Map(Section(
            "A listener. Endpoints take the place of Urls.",
            [
                ("Url", Key<string>("The address: scheme, host and port. Required.")),
                .. Connection("that of EndpointDefaults"),
                ("Certificate", Certificate("Kestrel:Certificates:Default. Without that, an https endpoint needs its own, or one for each name in Sni")),
                ("Sni", Map(Section(
                    "The settings for clients that ask for this server name.",
                    [.. Connection("the endpoint's"), ("Certificate", Certificate("the endpoint's certificate"))]))),
            ]))),
        ("EndpointDefaults", Section("The defaults of endpoints.", Connection(null))),
        ("Certificates", Section("Certificates of more than one endpoint.", ("Default", Certificate("none, and each https endpoint needs its own")))),
        ("Limits", Limits(new KestrelServerLimits())));

    public static JsonObject Logging()
    {
        using var services = new ServiceCollection().AddLogging().BuildServiceProvider();
        return Section(
            "The ordinary log's own section.",
            ("LogLevel", Levels(
                services.GetRequiredService<IOptions<LoggerFilterOptions>>().Value.MinLevel,
                "that of the longest name that the category begins with, else of Default")),
            ("Console", Section(
                "Standard output.",
                ("LogLevel", Levels(null, "that of Logging:LogLevel")),
                ("FormatterName", Key(
                    "The form of the lines.",
                    ConfigurationSchema.OneOf([ConsoleFormatterNames.Simple, ConsoleFormatterNames.Json, ConsoleFormatterNames.Systemd]),
                    ConsoleFormatterNames.Simple)),
                ("LogToStandardErrorThreshold", Key<LogLevel>(
                    "The least level that goes to standard error instead.", new ConsoleLoggerOptions().LogToStandardErrorThreshold)),
                ("FormatterOptions", FormatterOptions()))));
    }

    private static JsonObject FormatterOptions()
    {
        var (simple, json) = (new SimpleConsoleFormatterOptions(), new JsonConsoleFormatterOptions());
        return Section(
            "Settings of the form of the lines.",
            ("TimestampFormat", Key<string>(
                "The format of a line's time, as in .NET. With simple a space follows the default; systemd has none.", UtcTime.MillisecondsFormat)),
            ("UseUtcTimestamp", Key<bool>("Whether times are in UTC. Default: true without TimestampFormat, false with it and for systemd.")),
            ("IncludeScopes", Key<bool>("Whether a line has its scopes.", simple.IncludeScopes)),
            ("SingleLine", Key<bool>("Whether a message and its exception are on one line. For simple.", simple.SingleLine)),
            ("ColorBehavior", Key<LoggerColorBehavior>(
                "Whether levels have a color: Default colors them on a terminal only. For simple.", simple.ColorBehavior)),
            ("JsonWriterOptions", Section(
                "Settings of JSON.",
                ("Indented", Key<bool>("Whether JSON is indented, on several lines. For json.", json.JsonWriterOptions.Indented)))));
    }

    // Kestrel's own defaults, or the section that they come from.
    private static (string Name, JsonObject Schema)[] Connection(string? inherited)
    {
        var protocols = default(HttpProtocols);
        new KestrelServerOptions().ListenLocalhost(1, listener => protocols = listener.Protocols);
        var (https, defaults) = (new HttpsConnectionAdapterOptions(), inherited is null ? "" : $" Default: {inherited}.");
        return
        [
            ("Protocols", Key(
                $"The versions of HTTP. Without TLS, Http1AndHttp2 is HTTP/1.1 alone.{defaults}",
                // HTTP/3 is an error.
                ConfigurationSchema.OneOf([nameof(HttpProtocols.Http1), nameof(HttpProtocols.Http2), nameof(HttpProtocols.Http1AndHttp2)]),
                inherited is null ? protocols : null)),
            ("SslProtocols", Key<IReadOnlyList<string>>(
                $"The versions of TLS, such as Tls12 and Tls13. Default: {inherited ?? "the operating system's choice"}.")),
            ("ClientCertificateMode", Key<ClientCertificateMode>(
                $"Whether clients need a certificate.{defaults}", inherited is null ? https.ClientCertificateMode : null)),
        ];
    }

    private static JsonObject Certificate(string otherwise) => Section(
        "A certificate, from a file or from a store.",
        ("Path", Key<string>(
            $"The file, PEM or PKCS #12. Relative to the configuration folder, or absolute. It is read again when it changes. Default: {otherwise}.")),
        ("KeyPath", Key<string>("The file of the key, PEM. Required with a PEM file in Path.")),
        ("Password", Key<string>("The password of the PKCS #12 file or of the key. Default: none.")),
        ("Subject", Key<string>("The subject of a certificate in a store, instead of Path. Default: none.")),
        ("Store", Key<string>("The store that Subject is in.", nameof(StoreName.My))),
        ("Location", Key<StoreLocation>("The place of the store.", StoreLocation.CurrentUser)),
        ("AllowInvalid", Key<bool>("Whether a certificate from a store may be invalid, such as a self-signed one.", false)));

    private static JsonObject Limits(object defaults)
    {
        var properties = new JsonObject();
        foreach (var property in defaults.GetType().GetProperties())
        {
            var (type, value) = (property.PropertyType, property.GetValue(defaults));
            properties[property.Name] = type == typeof(double) ? Limit(typeof(long), value)
                : OptionsSchema.ScalarOf(type) is null ? Limits(value!)
                : Limit(type, value);
        }

        return new JsonObject { ["type"] = ConfigurationSchema.OrNull("object"), ["properties"] = properties, ["additionalProperties"] = false };
    }

    private static JsonObject Limit(Type type, object? value)
    {
        var schema = ConfigurationSchema.Of(type);
        return value is null ? Key("Default: no limit.", schema)
            : value.Equals(TimeSpan.MaxValue) ? Key("Default: never.", schema)
            : WithDefault(schema, value);
    }

    private static JsonObject Levels(LogLevel? ofDefault, string ofOthers)
    {
        JsonObject Level() => ConfigurationSchema.Of(typeof(LogLevel));
        var section = Section(
            $"The least level that is written, by the beginning of a category's name. Default: {ofOthers}.",
            ("Default", Key($"The level of the other categories.{(ofDefault is null ? $" Default: {ofOthers}." : "")}", Level(), ofDefault)));
        section["additionalProperties"] = Level();
        return section;
    }

    private static JsonObject Section(string description, params (string Name, JsonObject Schema)[] keys) => new()
    {
        ["type"] = ConfigurationSchema.OrNull("object"),
        ["description"] = description,
        ["properties"] = new JsonObject(keys.Select(key => KeyValuePair.Create(key.Name, (JsonNode?)key.Schema))),
    };

    private static JsonObject Map(JsonObject value) => new() { ["type"] = ConfigurationSchema.OrNull("object"), ["additionalProperties"] = value };

    private static JsonObject Key<T>(string description, object? value = null) => Key(description, ConfigurationSchema.Of(typeof(T)), value);

    private static JsonObject Key(string description, JsonObject schema, object? value = null)
    {
        schema.Insert(0, "description", description);
        return WithDefault(schema, value);
    }

    private static JsonObject WithDefault(JsonObject schema, object? value)
    {
        ConfigurationSchema.AddDefault(schema, value);
        return schema;
    }
}
