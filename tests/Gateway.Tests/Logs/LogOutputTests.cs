using System.Text;
using Gateway.Logs;
using Microsoft.Extensions.Time.Testing;
using Testing;
using Xunit;

namespace Gateway.Tests.Logs;

/// <summary>Lines are written many at a time. None is cut, none is overtaken by its writer's next, and no writer waits.</summary>
public sealed class LogOutputTests : IDisposable
{
    private static readonly LogText s_million = Line(new string('x', 999_999) + '\n');

    private readonly HeldDestination _destination = new();
    private long _dropped;

    [Fact]
    public async Task Lines_of_many_writers_are_whole_and_in_the_order_of_each()
    {
        const int Writers = 8, Lines = 2_000;
        _destination.Release();
        using (var output = new LogOutput(_destination.Write))
        {
            var log = output.Add<LogText>(Count);
            await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(() =>
            {
                for (var line = 0; line < Lines; line++) log.TryAdd(Line($"{writer} {line} é😀\n"));
            })));
        }

        var written = _destination.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).GroupBy(line => line[0] - '0').ToDictionary(lines => lines.Key);
        for (var writer = 0; writer < Writers; writer++)
            Assert.Equal(Enumerable.Range(0, Lines).Select(line => $"{writer} {line} é😀"), written[writer]);
        Assert.InRange(_destination.Writes, 1, Lines);
        Assert.Equal(0, _dropped);
    }

    [Fact]
    public async Task No_writer_waits_for_an_output_that_is_not_read_and_each_log_has_room_of_its_own()
    {
        long lostOfAudit = 0, lostOfOthers = 0;
        var reported = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        LogQueue<LogText>? others = null, audit = null;
        using var output = new LogOutput(_destination.Write)
        {
            LinesWereLost = () =>
            {
                (lostOfAudit, lostOfOthers) = (lostOfAudit + audit!.TakeLost(), lostOfOthers + others!.TakeLost());
                reported.TrySetResult();
            },
        };
        (others, audit) = (output.Add<LogText>(Count), output.Add<LogText>(Count));
        others.TryAdd(Line("first\n"));
        await _destination.Held;

        // A writer that waited only a millisecond for each of these lines would take half an hour.
        var kept = Enumerable.Range(0, 2_000_000).Count(_ => others.TryAdd(s_million));
        Assert.InRange(kept, 1, 4);
        Assert.Equal(1_000, Enumerable.Range(0, 1_000).Count(_ => audit.TryAdd(Line("audit\n"))));
        var tooMuch = Enumerable.Range(0, 10).Count(_ => !audit.TryAdd(s_million));
        Assert.InRange(tooMuch, 1, 10);
        Assert.Equal(2_000_000 - kept + tooMuch, _dropped);
        Assert.False(reported.Task.IsCompleted);

        _destination.Release();
        await reported.Task;
        await Eventually.IsTrueAsync(() => others.TryAdd(Line("last\n")));
        output.Dispose();
        Assert.Equal(tooMuch, lostOfAudit);
        Assert.InRange(lostOfOthers, 2_000_000 - kept, _dropped);
        Assert.Equal(1_000, _destination.Text.Split('\n').Count(line => line == "audit"));
        Assert.Contains("\nlast\n", _destination.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_destination_that_fails_is_reported_once_and_tried_again_with_every_batch()
    {
        var failures = new List<string>();
        var restored = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        LogOutput? output = null;
        using (output = new LogOutput(_destination.Write)
        {
            Failed = failure => failures.Add(failure.GetType().Name),
            LinesWereLost = () => restored.TrySetResult(output!.TakeLost()),
        })
        {
            var log = output.Add<LogText>(Count);
            _destination.Release();
            _destination.Fails = true;
            for (var batch = 1; batch <= 3; batch++)
            {
                log.TryAdd(Line("lost\n"));
                await Eventually.IsTrueAsync(() => Volatile.Read(ref _dropped) == batch);
            }

            _destination.Fails = false;
            log.TryAdd(Line("written\n"));
            Assert.Equal(3, await restored.Task);
        }

        Assert.Equal([nameof(UnauthorizedAccessException)], failures);
        Assert.Equal("written\n", _destination.Text);
    }

    [Theory]
    [InlineData(0, 0, "1")]
    [InlineData(0, 61, "1")]
    [InlineData(1, 0, "1")]
    [InlineData(1, 61, "1 2")]
    [InlineData(61, 0, "1 2")]
    public async Task Each_outage_is_told_once_if_it_lasts_for_longer_than_a_minute_after_the_last_line(int secondsUp, int secondsDown, string told)
    {
        var time = new FakeTimeProvider();
        var (outage, outages) = (1, new List<int>());
        _destination.Release();
        using (var output = new LogOutput(_destination.Write) { Time = time, Failed = _ => outages.Add(outage) })
        {
            var log = output.Add<LogText>(Count);
            await LoseAsync(1);
            if (secondsUp > 0)
            {
                _destination.Fails = false;
                var writes = _destination.Writes;
                log.TryAdd(Line("written\n"));
                await Eventually.IsTrueAsync(() => _destination.Writes > writes);
                time.Advance(TimeSpan.FromSeconds(secondsUp));
                outage = 2;
                await LoseAsync(2);
            }

            time.Advance(TimeSpan.FromSeconds(secondsDown));
            await LoseAsync(Volatile.Read(ref _dropped) + 1);
            await LoseAsync(Volatile.Read(ref _dropped) + 1);

            async Task LoseAsync(long dropped)
            {
                _destination.Fails = true;
                log.TryAdd(Line("lost\n"));
                await Eventually.IsTrueAsync(() => Volatile.Read(ref _dropped) == dropped);
            }
        }

        Assert.Equal(told, string.Join(' ', outages));
    }

    [Fact]
    public async Task A_report_of_lost_lines_is_written_although_the_room_is_full()
    {
        var isReported = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        LogQueue<LogText>? log = null;
        using var output = new LogOutput(_destination.Write)
        {
            LinesWereLost = () => isReported.TrySetResult(log!.TryAdd(Line($"{log.TakeLost()} lost\n"))),
        };
        log = output.Add<LogText>(Count);
        log.TryAdd(Line("first\n"));
        await _destination.Held;
        var lost = Enumerable.Range(0, 100).Count(_ => !log.TryAdd(s_million));

        _destination.Release();
        Assert.True(await isReported.Task);
        output.Dispose();

        Assert.EndsWith($"\n{lost} lost\n", _destination.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_line_after_the_end_is_counted_as_lost_and_a_report_that_throws_ends_nothing()
    {
        _destination.Release();
        var output = new LogOutput(_destination.Write)
        {
            Failed = static _ => throw new ObjectDisposedException("services"),
            LinesWereLost = static () => throw new ObjectDisposedException("services"),
        };
        var log = output.Add<LogText>(Count);
        _destination.Fails = true;
        log.TryAdd(Line("lost\n"));
        await Eventually.IsTrueAsync(() => Volatile.Read(ref _dropped) == 1);
        _destination.Fails = false;
        log.TryAdd(Line("written\n"));
        output.Dispose();

        Assert.True(output.HasEnded);
        Assert.False(log.TryAdd(Line("late\n")));
        Assert.Equal(2, _dropped);
        Assert.Equal("written\n", _destination.Text);
    }

    [Theory]
    [InlineData("ok 1|fails|ok 2", "ok 1|ok 2")]
    [InlineData("fails|fails|ok 1", "ok 1")]
    [InlineData("ok 1|fails", "ok 1")]
    public void An_entry_whose_line_cannot_be_made_is_lost_alone(string entries, string written)
    {
        _destination.Release();
        var lost = 0L;
        using (var output = new LogOutput(_destination.Write))
        {
            var log = output.Add<FailingEntry>(lines => lost += lines);
            foreach (var entry in entries.Split('|')) Assert.True(log.TryAdd(new FailingEntry(entry)));
        }

        Assert.Equal(written.Split('|'), _destination.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(entries.Split('|').Count(static entry => entry == "fails"), lost);
    }

    public void Dispose() => _destination.Dispose();

    private static LogText Line(string text) => new(Encoding.UTF8.GetBytes(text));

    private void Count(long lines) => Interlocked.Add(ref _dropped, lines);

    /// <summary>Fails when its line is half made.</summary>
    private readonly record struct FailingEntry(string Text) : ILogEntry
    {
        public int Size => Text.Length;

        public void Write(LogLine line)
        {
            var json = line.BeginJson(DateTimeOffset.UnixEpoch);
            if (Text == "fails") throw new FormatException();
            json.WriteString("text", Text);
            line.Clear();
            line.Write(Encoding.UTF8.GetBytes(Text + '\n'));
        }
    }

    /// <summary>Takes nothing until it is released.</summary>
    private sealed class HeldDestination : IDisposable
    {
        private readonly ManualResetEventSlim _released = new();
        private readonly TaskCompletionSource _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly MemoryStream _written = new();

        public Task Held => _held.Task;

        public volatile bool Fails;

        public int Writes { get; private set; }

        public string Text => Encoding.UTF8.GetString(_written.ToArray());

        public void Release() => _released.Set();

        public void Dispose()
        {
            _released.Dispose();
            _written.Dispose();
        }

        public void Write(ReadOnlySpan<byte> lines)
        {
            _held.TrySetResult();
            _released.Wait();
            Writes++;
            if (Fails) throw new UnauthorizedAccessException();
            _written.Write(lines);
        }
    }
}
