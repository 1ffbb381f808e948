using System.Net;
using System.Runtime.CompilerServices;
using Gateway.Edge;

namespace Gateway.Forwarding;

/// <summary>
/// A response's body over HTTP/2, where frames end it whatever its <c>Content-Length</c> says. A read fails if the two differ, as it does over HTTP/1.1.
/// Otherwise Kestrel would fail after all steps.
/// </summary>
internal sealed class CheckedContent : HttpContent
{
    private readonly HttpContent _inner;
    private readonly long _length;

    public CheckedContent(HttpContent inner, long length)
    {
        (_inner, _length) = (inner, length);
        foreach (var (name, values) in inner.Headers.NonValidated) Headers.TryAddWithoutValidation(name, values);
    }

    protected override async Task<Stream> CreateContentReadStreamAsync(CancellationToken cancellationToken) =>
        new Body(await _inner.ReadAsStreamAsync(cancellationToken), _length);

    // The forwarder only reads.
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => throw new NotSupportedException();

    protected override bool TryComputeLength(out long length)
    {
        length = _length;
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _inner.Dispose();
        base.Dispose(disposing);
    }

    private sealed class Body(Stream inner, long length) : ReadOnlyStream
    {
        private long _left = length;

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await inner.ReadAsync(buffer, cancellationToken);
            _left -= read;
            if (_left < 0 || (read == 0 && _left > 0 && !buffer.IsEmpty))
                throw new HttpIOException(HttpRequestError.InvalidResponse, "The body does not have its Content-Length.");
            return read;
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
