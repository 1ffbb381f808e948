using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;

namespace Gateway.Telemetry;

/// <summary>
/// Writes the access log behind the requests: what logging cannot keep up with is dropped and counted, and no request ever waits for it.
/// What is queued when the gateway stops is still written.
/// </summary>
internal sealed partial class AccessLog(ILoggerFactory loggers, GatewayMetrics metrics) : IHostedService, IDisposable
{
    public const string Category = "Gateway.Access";

    private const int LongestQueue = 8192;
    private static readonly TimeSpan s_gatherFor = TimeSpan.FromMilliseconds(50);

    private readonly Channel<AccessEntry> _queue = Channel.CreateBounded<AccessEntry>(new BoundedChannelOptions(LongestQueue) { SingleReader = true });
    private readonly ILogger _logger = loggers.CreateLogger(Category);
    private Task _writing = Task.CompletedTask;

    /// <summary>Whether anybody reads it.</summary>
    public bool IsOn => _logger.IsEnabled(LogLevel.Information);

    public void Add(AccessEntry entry)
    {
        if (!_queue.Writer.TryWrite(entry)) metrics.AccessLineDropped();
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        // A thread of its own: whoever logs can block it.
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
                    // A provider that fails costs the line, and not those after it.
                    metrics.AccessLineDropped();
                }
            }

            // Lines are gathered: to be woken by each would cost the request more than the line.
            _queue.Reader.Completion.Wait(s_gatherFor);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.Access, LogLevel.Information, "{Line}")]
        public static partial void Access(ILogger logger, string line);
    }
}
