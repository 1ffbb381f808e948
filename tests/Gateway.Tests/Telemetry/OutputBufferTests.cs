using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text;
using Gateway.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using Testing;
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
        using (var buffer = new OutputBuffer(_stream).Start())
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
        using (var buffer = new OutputBuffer(_stream).Start()) buffer.Write(line);

        Assert.Equal(line.ToString(), _stream.Text);
    }

    [Fact]
    public async Task Who_writes_more_than_is_taken_waits_and_nothing_is_dropped()
    {
        const int Lines = 20;
        var million = new StringBuilder().Append('x', 999_999).Append('\n');
        using var buffer = new OutputBuffer(_stream).Start();
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
        // Disposing gives up after some seconds, in which a busy machine may not write as much.
        await Testing.Eventually.IsTrueAsync(() => _stream.Length == Lines * 1_000_000);
        buffer.Dispose();

        Assert.Equal(Lines * 1_000_000, _stream.Text.Length);
    }

    [Fact]
    public void An_output_that_is_closed_costs_the_lines_and_nothing_else()
    {
        _stream.Release();
        _stream.Fails = true;
        using var buffer = new OutputBuffer(_stream).Start();
        buffer.Write(new StringBuilder("lost\n"));
        Assert.True(SpinWait.SpinUntil(() => _stream.Writes == 1, Testing.Eventually.Limit));

        _stream.Fails = false;
        buffer.Write(new StringBuilder("told\n"));
        buffer.Dispose();

        Assert.Equal("told\n", _stream.Text);
    }

    [Fact]
    public async Task S25_nobody_waits_long_for_an_output_that_is_not_read_and_the_audit_has_room_of_its_own()
    {
        var told = new TaskCompletionSource<(long Audit, long Others)>(TaskCreationOptions.RunContinuationsAsynchronously);
        var million = new StringBuilder().Append('x', 999_999).Append('\n');
        using var buffer = new OutputBuffer(_stream, TimeSpan.FromMilliseconds(50), (audit, others) => told.TrySetResult((audit, others))).Start();
        buffer.Write(new StringBuilder("first\n"));
        await _stream.Held;

        // The first that finds no room waits for its bound, and no one after it: all of these together would wait for a day.
        var kept = Enumerable.Range(0, 2_000_000).Count(_ => buffer.Write(million));
        Assert.InRange(kept, 1, 5);
        var audited = Enumerable.Range(0, 1_000).Count(_ => buffer.Write(new StringBuilder("audit\n"), isAudit: true));
        Assert.Equal(1_000, audited);
        var tooMuch = Enumerable.Range(0, 10).Count(_ => !buffer.Write(million, isAudit: true));
        Assert.InRange(tooMuch, 1, 10);
        Assert.False(told.Task.IsCompleted);

        _stream.Release();
        Assert.Equal((tooMuch, 2_000_000 - kept), await told.Task);
        // What was gathered meanwhile may still fill the room.
        await Eventually.IsTrueAsync(() => buffer.Write(new StringBuilder("last\n")));
        buffer.Dispose();
        Assert.Equal(1_000, _stream.Text.Split('\n').Count(line => line == "audit"));
        Assert.EndsWith("last\n", _stream.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task S25_what_a_full_disk_took_is_told_when_there_is_room_again()
    {
        var told = new TaskCompletionSource<(long Audit, long Others)>(TaskCreationOptions.RunContinuationsAsynchronously);
        _stream.Fails = true;
        using var buffer = new OutputBuffer(_stream, TimeSpan.FromMilliseconds(50), (audit, others) => told.TrySetResult((audit, others))).Start();
        buffer.Write(new StringBuilder("lost\n"));
        buffer.Write(new StringBuilder("lost too\n"), isAudit: true);
        _stream.Release();
        await Eventually.IsTrueAsync(() => _stream.Writes >= 2);

        _stream.Fails = false;
        buffer.Write(new StringBuilder("told\n"));

        Assert.Equal((1L, 1L), await told.Task);
        buffer.Dispose();
        Assert.Equal("told\n", _stream.Text);
    }

    [Fact]
    public async Task S25_the_report_of_lost_entries_is_written_though_the_room_is_full()
    {
        var reported = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        var million = new StringBuilder().Append('x', 999_999).Append('\n');
        OutputBuffer? buffer = null;
        using (buffer = new OutputBuffer(_stream, TimeSpan.FromMilliseconds(50), (audit, others) =>
        {
            var isWritten = buffer!.Write(new StringBuilder($"{audit} and {others} lost\n"));
            reported.TrySetResult(isWritten);
            return isWritten;
        }).Start())
        {
            buffer.Write(new StringBuilder("first\n"));
            await _stream.Held;
            var lost = Enumerable.Range(0, 100).Count(_ => !buffer.Write(million));
            Assert.InRange(lost, 90, 99);

            _stream.Release();
            Assert.True(await reported.Task);
            buffer.Dispose();
            Assert.EndsWith($"\n0 and {lost} lost\n", _stream.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task S25_a_report_that_is_not_written_comes_again_with_the_whole_number()
    {
        var reports = new List<(long Audit, long Others)>();
        _stream.Fails = true;
        _stream.Release();
        using var buffer = new OutputBuffer(_stream, TimeSpan.FromMilliseconds(50), (audit, others) =>
        {
            lock (reports) reports.Add((audit, others));
            return reports.Count > 1;
        }).Start();
        buffer.Write(new StringBuilder("lost\n"));
        await Eventually.IsTrueAsync(() => _stream.Writes >= 1);

        _stream.Fails = false;
        for (var times = 1; times <= 2; times++)
        {
            buffer.Write(new StringBuilder("kept\n"));
            await Eventually.IsTrueAsync(() =>
            {
                lock (reports) return reports.Count >= times;
            });
        }

        buffer.Dispose();
        Assert.Equal([(0L, 1L), (0L, 1L)], reports);
    }

    [Fact]
    public async Task S25_entries_that_a_full_disk_took_are_counted_by_their_log()
    {
        var counted = new ConcurrentDictionary<string, long>();
        await using var services = new ServiceCollection().AddMetrics().AddLogging(log => log.AddConsole()).BuildServiceProvider();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Scope == services.GetRequiredService<IMeterFactory>()) self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
            counted.AddOrUpdate($"{instrument.Name} {(tags.Length > 0 ? tags[0].Value : null)}", value, (_, before) => before + value));
        listener.Start();
        _stream.Fails = true;
        using (var console = new BufferedConsole(
            services.GetServices<ConsoleFormatter>(), services.GetRequiredService<IOptionsMonitor<ConsoleLoggerOptions>>(),
            new GatewayMetrics(services.GetRequiredService<IMeterFactory>()), _stream))
        {
            foreach (var (category, entries) in ((string, int)[])[("IotCredentials.Audit", 1), (BufferedConsole.AccessCategory, 2), ("Other", 3)])
                for (var i = 0; i < entries; i++) console.CreateLogger(category).Log(LogLevel.Information, 0, "lost", null, static (message, _) => message);
            _stream.Release();
        }

        Assert.Equal((1, 2, 3), (counted["gateway.log.dropped audit"], counted["gateway.access_log.dropped "], counted["gateway.log.dropped other"]));
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
