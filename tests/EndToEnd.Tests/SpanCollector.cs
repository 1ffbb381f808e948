using System.Collections.Concurrent;
using System.Globalization;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;

namespace EndToEnd.Tests;

/// <summary>A span as a collector received it.</summary>
internal sealed record ReceivedSpan(string Trace, string Id, string Parent, string Name, ulong Start, IReadOnlyDictionary<string, string> Attributes)
{
    /// <summary>The spans of a trace, one a line, each below its parent and with the attributes of these names.</summary>
    public static IEnumerable<string> Tree(IReadOnlyCollection<ReceivedSpan> spans, IReadOnlyList<string> attributes, string parent = "", string indent = "") =>
        // By name, because spans beside each other begin in any order; those of one name, such as tries, follow each other.
        spans.Where(span => span.Parent == parent).OrderBy(static span => span.Name).ThenBy(static span => span.Start).SelectMany(span => (IEnumerable<string>)
        [
            $"{indent}{string.Join("  ", [span.Name, .. attributes.Where(span.Attributes.ContainsKey).Select(name => $"{name}={span.Attributes[name]}")])}",
            .. Tree(spans, attributes, span.Id, indent + "  "),
        ]);
}

/// <summary>An OpenTelemetry collector that keeps the spans that it receives by OTLP over HTTP.</summary>
internal sealed class SpanCollector : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly ConcurrentQueue<ReceivedSpan> _spans = new();

    private SpanCollector(WebApplication server) => _server = server;

    public IReadOnlyCollection<ReceivedSpan> Spans => _spans;

    public IEnumerable<KeyValuePair<string, string>> EnvironmentVariables =>
    [
        new("OTEL_EXPORTER_OTLP_ENDPOINT", _server.Urls.First()),
        new("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        new("OTEL_BSP_SCHEDULE_DELAY", "100"),
    ];

    public static async Task<SpanCollector> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var collector = new SpanCollector(builder.Build());
        collector._server.Run(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            if (context.Request.Path == "/v1/traces") collector.Keep(ByteString.CopyFrom(body.ToArray()));
            context.Response.ContentType = "application/x-protobuf";
        });
        await collector._server.StartAsync();
        return collector;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    // The numbers are those of opentelemetry/proto/trace/v1/trace.proto.
    private void Keep(ByteString request)
    {
        foreach (var resource in Fields(request, 1))
            foreach (var scope in Fields(resource, 2))
                foreach (var span in Fields(scope, 2)) _spans.Enqueue(Read(span));
    }

    private static ReceivedSpan Read(ByteString span)
    {
        string Hex(int number) => Fields(span, number).Select(static id => Convert.ToHexStringLower(id.Span)).FirstOrDefault("");
        var attributes = Fields(span, 9).Select(static attribute => KeyValuePair.Create(Fields(attribute, 1).First().ToStringUtf8(), Value(attribute)));
        return new(Hex(1), Hex(2), Hex(4), Fields(span, 5).First().ToStringUtf8(), Fixed64(span, 7), attributes.ToDictionary(StringComparer.Ordinal));
    }

    private static string Value(ByteString attribute)
    {
        var input = Fields(attribute, 2).First().CreateCodedInput();
        return WireFormat.GetTagFieldNumber(input.ReadTag()) switch
        {
            1 => input.ReadString(),
            2 => input.ReadBool() ? "true" : "false",
            3 => input.ReadInt64().ToString(CultureInfo.InvariantCulture),
            _ => "",
        };
    }

    private static ulong Fixed64(ByteString message, int number)
    {
        var input = message.CreateCodedInput();
        while (input.ReadTag() is not 0 and var tag)
        {
            if (WireFormat.GetTagFieldNumber(tag) == number) return input.ReadFixed64();
            input.SkipLastField();
        }

        return 0;
    }

    /// <summary>The values of a message's field that has a length.</summary>
    private static List<ByteString> Fields(ByteString message, int number)
    {
        var found = new List<ByteString>();
        var input = message.CreateCodedInput();
        while (input.ReadTag() is not 0 and var tag)
        {
            if (WireFormat.GetTagFieldNumber(tag) == number) found.Add(input.ReadBytes());
            else input.SkipLastField();
        }

        return found;
    }
}
