using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Edge;

/// <summary>A request's body that records whether it was read to its end, and whether more of it is awaited.</summary>
internal sealed class ReceivedStream : ReadOnlyStream
{
    private readonly Stream _inner;
    private readonly PipeReader _pipe;
    private readonly long? _length;
    private readonly bool _expectsContinue;
    private long _read;
    private volatile bool _isReceived;
    private volatile bool _isAwaited;

    private ReceivedStream(HttpRequest request) => (_inner, _pipe, _length, _expectsContinue) = (
        request.Body, request.BodyReader, request.ContentLength, request.Headers.Expect.Count > 0);

    public bool IsReceived => _isReceived;

    /// <summary>Whether a read waits for the client, or did until it was cancelled.</summary>
    public bool IsAwaited => _isAwaited;

    /// <summary>Wraps the body of a request; null when there can be no body, or when an upgrade replaces it.</summary>
    public static ReceivedStream? Wrap(HttpContext context)
    {
        if (context.Features.Get<IHttpRequestBodyDetectionFeature>() is not { CanHaveBody: true }
            || context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true }
            || context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true }) return null;
        var body = new ReceivedStream(context.Request);
        context.Request.Body = body;
        return body;
    }

    /// <summary>Removes a body that has fully arrived, and that no step has begun to read, from the connection. It waits for nothing.</summary>
    public bool TryDiscard()
    {
        // To read a chunked body asks a client that expects 100 Continue for it.
        if (_isAwaited || _read > 0 || (_length is null && _expectsContinue)) return false;
        try
        {
            if (!_pipe.TryRead(out var body)) return false;
            _pipe.AdvanceTo(body.Buffer.End);
            return _isReceived = body.IsCompleted;
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or OperationCanceledException)
        {
            // The client has left, or the body is too large or not well-formed.
            return false;
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _isAwaited = true;
        var read = await _inner.ReadAsync(buffer, cancellationToken);
        _isAwaited = false;
        // A zero-byte read only waits for data.
        if (!buffer.IsEmpty) Count(read);
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        var read = _inner.Read(buffer, offset, count);
        if (count > 0) Count(read);
        return read;
    }

    private void Count(int read)
    {
        _read += read;
        if (read == 0 || _read == _length) _isReceived = true;
    }
}
