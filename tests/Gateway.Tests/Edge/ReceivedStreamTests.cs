using System.Threading.Tasks.Sources;
using Gateway.Edge;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Xunit;

namespace Gateway.Tests.Edge;

public sealed class ReceivedStreamTests
{
    [Fact]
    public void A_read_that_waits_keeps_its_state_in_a_pool()
    {
        SynchronizationContext.SetSynchronizationContext(null);
        using var arriving = new ArrivingStream();
        var context = new DefaultHttpContext();
        context.Features.Set<IHttpRequestBodyDetectionFeature>(new Body());
        context.Request.Body = arriving;
        using var body = ReceivedStream.Wrap(context)!;
        var buffer = new byte[1];
        Read();

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var count = 0; count < 1000; count++) Read();
        // A debug build's state machine is an object of 96 bytes; with what would carry it, there would be 170 and more.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 120_000);

        void Read()
        {
            var read = body.ReadAsync(buffer, CancellationToken.None);
            Assert.False(read.IsCompleted);
            arriving.Arrive();
            if (read.GetAwaiter().GetResult() != 1) Assert.Fail("Not what arrived.");
        }
    }

    private sealed class Body : IHttpRequestBodyDetectionFeature
    {
        public bool CanHaveBody => true;
    }

    /// <summary>Each read waits until a byte arrives, and allocates nothing.</summary>
    private sealed class ArrivingStream : MemoryStream, IValueTaskSource<int>
    {
        private ManualResetValueTaskSourceCore<int> _source;

        public void Arrive() => _source.SetResult(1);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _source.Reset();
            return new(this, _source.Version);
        }

        public int GetResult(short token) => _source.GetResult(token);

        public ValueTaskSourceStatus GetStatus(short token) => _source.GetStatus(token);

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _source.OnCompleted(continuation, state, token, flags);
    }
}
