using System.Text;
using Gateway.Telemetry;
using Xunit;

namespace Gateway.Tests.Telemetry;

/// <summary>Lines are written many at a time, and none is lost, cut or overtaken by its writer's next.</summary>
public sealed class OutputBufferTests : IDisposable
{
    private readonly HeldStream _stream = new();

    [Fact]
    public async Task What_many_write_comes_out_whole_and_in_the_order_of_each()
    {
        const int Writers = 8, Lines = 2_000;
        _stream.Release();
        using (var buffer = new OutputBuffer(_stream))
        {
            await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(() =>
            {
                for (var line = 0; line < Lines; line++) buffer.Write(new StringBuilder($"{writer} {line} é😀\n"));
            })));
        }

        var written = _stream.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).GroupBy(line => line[0] - '0').ToDictionary(lines => lines.Key);
        for (var writer = 0; writer < Writers; writer++)
            Assert.Equal(Enumerable.Range(0, Lines).Select(line => $"{writer} {line} é😀"), written[writer]);
        Assert.InRange(_stream.Writes, 1, Lines);
    }

    [Fact]
    public void A_character_that_two_pieces_of_a_line_share_stays_one()
    {
        _stream.Release();
        var line = new StringBuilder(16);
        line.Append('x', 15).Append("😀😀😀").Append('y', 40).Append('\n');
        using (var buffer = new OutputBuffer(_stream)) buffer.Write(line);

        Assert.Equal(line.ToString(), _stream.Text);
    }

    [Fact]
    public async Task Who_writes_more_than_is_taken_waits_and_nothing_is_dropped()
    {
        const int Lines = 20;
        var million = new StringBuilder().Append('x', 999_999).Append('\n');
        using var buffer = new OutputBuffer(_stream);
        var written = 0;
        var writing = Task.Run(() =>
        {
            for (; written < Lines; written++) buffer.Write(million);
        }, TestContext.Current.CancellationToken);

        await _stream.Held;
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref written) >= 5, Testing.Eventually.Limit));
        Assert.False(writing.IsCompleted);
        _stream.Release();
        await writing;
        buffer.Dispose();

        Assert.Equal(Lines * 1_000_000, _stream.Text.Length);
    }

    [Fact]
    public void An_output_that_is_closed_costs_the_lines_and_nothing_else()
    {
        _stream.Release();
        _stream.Fails = true;
        using var buffer = new OutputBuffer(_stream);
        buffer.Write(new StringBuilder("lost\n"));
        Assert.True(SpinWait.SpinUntil(() => _stream.Writes == 1, Testing.Eventually.Limit));

        _stream.Fails = false;
        buffer.Write(new StringBuilder("told\n"));
        buffer.Dispose();

        Assert.Equal("told\n", _stream.Text);
    }

    public void Dispose() => _stream.Dispose();

    /// <summary>Takes nothing until it is released.</summary>
    private sealed class HeldStream : MemoryStream
    {
        private readonly ManualResetEventSlim _released = new();
        private readonly TaskCompletionSource _held = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Held => _held.Task;

        public bool Fails { get; set; }

        public int Writes { get; private set; }

        public string Text => Encoding.UTF8.GetString(ToArray());

        public void Release() => _released.Set();

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            _held.TrySetResult();
            _released.Wait();
            Writes++;
            if (Fails) throw new UnauthorizedAccessException();
            base.Write(buffer);
        }
    }
}
