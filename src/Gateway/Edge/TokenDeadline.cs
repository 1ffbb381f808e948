using Gateway.Authentication;
using Microsoft.Extensions.ObjectPool;

namespace Gateway.Edge;

/// <summary>
/// Ends an exchange when its caller's token expires while anything of it is still sent or received: a response of any kind, an upload, an
/// upgraded connection. A request that arrived whole and waits for its service is not ended. Its response then has <see cref="Grace"/>.
/// </summary>
internal sealed class TokenDeadline : IDisposable
{
    /// <summary>How long a response may take that begins after the token has expired.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan s_betweenLooks = TimeSpan.FromSeconds(1);

    // Some days before a timer's longest.
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(45);

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private HttpContext? _context;
    private ReceivedStream? _body;
    private DateTimeOffset _due;
    private bool _hasWaited;

    private TokenDeadline(TimeProvider time)
    {
        _time = time;
        _timer = time.CreateTimer(static state => ((TokenDeadline)state!).Look(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The deadlines are pooled with their timers, so that an ordinary request allocates none and only sets one.</summary>
    public static ObjectPool<TokenDeadline> Pool(TimeProvider time) => new DefaultObjectPoolProvider { MaximumRetained = 1024 }.Create(new Policy(time));

    public void Start(HttpContext context, DateTimeOffset expiresAt)
    {
        lock (_lock)
        {
            (_context, _body, _hasWaited) = (context, ReceivedStream.Wrap(context), false);
            var now = _time.GetUtcNow();
            // Within the clock skew a token is accepted that has expired already.
            SetDue(expiresAt > now ? expiresAt : now + Grace, now);
        }
    }

    /// <summary>Lets go of the request. The next one may get the same context.</summary>
    public void Stop()
    {
        lock (_lock)
        {
            (_context, _body) = (null, null);
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        lock (_lock)
        {
            if (_context is not { } context) return;
            var now = _time.GetUtcNow();
            // Set off for an earlier request, early, or by the longest that a timer takes.
            if (now < _due)
            {
                SetDue(_due, now);
            }
            else if (!IsInTransfer(context))
            {
                _hasWaited = true;
                SetDue(now + s_betweenLooks, now);
            }
            else if (_hasWaited)
            {
                _hasWaited = false;
                SetDue(now + Grace, now);
            }
            else
            {
                context.Abort();
            }
        }
    }

    // A service may take a gRPC call's messages for as long as they come, or have none to send for as long: the call is one exchange.
    private bool IsInTransfer(HttpContext context) =>
        context.Response.HasStarted || _body is { IsReceived: false } || context.Request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) == true;

    private void SetDue(DateTimeOffset due, DateTimeOffset now)
    {
        _due = due;
        _timer.Change(due - now < s_longest ? due - now : s_longest, Timeout.InfiniteTimeSpan);
    }

    private sealed class Policy(TimeProvider time) : PooledObjectPolicy<TokenDeadline>
    {
        public override TokenDeadline Create() => new(time);

        public override bool Return(TokenDeadline obj) => true;
    }
}

/// <summary>Puts every exchange of an authenticated caller under its token's deadline.</summary>
internal static class TokenDeadlineExtensions
{
    public static void UseTokenDeadlines(this IApplicationBuilder app)
    {
        var pool = TokenDeadline.Pool(app.ApplicationServices.GetRequiredService<TimeProvider>());
        Func<object, Task> release = deadline =>
        {
            ((TokenDeadline)deadline).Stop();
            pool.Return((TokenDeadline)deadline);
            return Task.CompletedTask;
        };
        app.Use((context, next) =>
        {
            if (CallerIdentity.Of(context.User) is { } caller)
            {
                var deadline = pool.Get();
                deadline.Start(context, caller.ExpiresAt);
                context.Response.OnCompleted(release, deadline);
            }

            return next(context);
        });
    }
}
