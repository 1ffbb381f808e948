using System.Net;
using System.Net.Http.Headers;
using System.Threading.Channels;

namespace Gateway.Tests.Forwarding;

/// <summary>A request body that is written while it is sent.</summary>
internal sealed class PushedContent : HttpContent
{
    private readonly Channel<byte[]> _parts = Channel.CreateUnbounded<byte[]>();

    public PushedContent(string type) => Headers.ContentType = new MediaTypeHeaderValue(type);

    public void Push(params byte[] part) => _parts.Writer.TryWrite(part);

    public void End() => _parts.Writer.Complete();

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    // A request that is given up waits for its content.
    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await stream.FlushAsync(cancellationToken);
        await foreach (var part in _parts.Reader.ReadAllAsync(cancellationToken))
        {
            await stream.WriteAsync(part, cancellationToken);
            await stream.FlushAsync(cancellationToken);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
