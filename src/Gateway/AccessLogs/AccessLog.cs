using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Gateway.Telemetry;

namespace Gateway.AccessLogs;

/// <summary>
/// Writes the access log in the background. If logging cannot keep up, lines are dropped and counted; no request waits for it. Queued lines are still written
/// when the gateway stops.
/// </summary>
internal sealed partial class AccessLog(ILoggerFactory loggers, GatewayMetrics metrics) : IHostedService, IDisposable
{
    private const int LongestQueue = 8192;
    private static readonly TimeSpan s_gatherFor = TimeSpan.FromMilliseconds(50);

    private readonly Channel<AccessEntry> _queue = Channel.CreateBounded<AccessEntry>(new BoundedChannelOptions(LongestQueue) { SingleReader = true });
    private readonly ILogger _logger = loggers.CreateLogger(BufferedConsole.AccessCategory);
    private Task _writing = Task.CompletedTask;

    /// <summary>Whether a log provider takes the access log.</summary>
    public bool IsOn => _logger.IsEnabled(LogLevel.Information);

    public void Add(AccessEntry entry)
    {
        if (!_queue.Writer.TryWrite(entry)) metrics.AccessLineDropped();
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        // Write on a dedicated thread: a log provider can block it.
        _writing = Task.Factory.StartNew(Write, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _queue.Writer.TryComplete();
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose() => _queue.Writer.TryComplete();

    private void Write()
    {
        var line = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(line);
        while (_queue.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (_queue.Reader.TryRead(out var entry))
            {
                try
                {
                    line.ResetWrittenCount();
                    json.Reset();
                    entry.Write(json);
                    json.Flush();
                    Log.Access(_logger, Encoding.UTF8.GetString(line.WrittenSpan));
                }
                catch (Exception)
                {
                    // If a provider fails, only this line is lost.
                    metrics.AccessLineDropped();
                }
            }

            // Gather lines for a while: waking this thread for each one would cost the request more than the line itself.
            _queue.Reader.Completion.Wait(s_gatherFor);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.Access, LogLevel.Information, "{Line}", EventName = nameof(EventIds.Access))]
        public static partial void Access(ILogger logger, string line);
    }
}
