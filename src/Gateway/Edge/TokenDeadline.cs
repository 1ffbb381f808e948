using Gateway.Authentication;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.ObjectPool;

namespace Gateway.Edge;

/// <summary>
/// Ends an exchange when its caller's token expires, or its API key is removed, while data is still sent or received: a response of any kind, an upload, an
/// upgraded connection. If the request has fully arrived and waits for its service, it is not ended. Its response then has <see cref="Grace"/>.
/// </summary>
internal sealed class TokenDeadline : IDisposable
{
    /// <summary>The time for a response that begins after the token has expired.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan s_checkInterval = TimeSpan.FromSeconds(1);

    // A removed API key ends its streams within 2 s of the file's change: it takes up to a second until the change is in effect.
    private static readonly TimeSpan s_revocationCheck = TimeSpan.FromMilliseconds(500);

    // The token expires by the clock, which can be set, or go on while the machine sleeps; a timer does neither.
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly ITimer _timer;

    // The timer runs beside the request's thread, and HttpContext is for one thread alone. Its features are not looked up there.
    private IHttpRequestLifetimeFeature? _request;
    private IHttpResponseFeature? _response;
    private ReceivedStream? _body;
    private bool _isGrpc;
    private Func<bool>? _isRevoked;
    private DateTimeOffset _due;
    private bool _hasWaited;

    private TokenDeadline(TimeProvider time)
    {
        _time = time;
        // The timer outlives the request that creates it.
        using var flow = ExecutionContext.SuppressFlow();
        _timer = time.CreateTimer(static state => ((TokenDeadline)state!).OnDue(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Pools the deadlines with their timers, so that an ordinary request allocates none and only sets one.</summary>
    public static ObjectPool<TokenDeadline> Pool(TimeProvider time) => new DefaultObjectPoolProvider { MaximumRetained = 1024 }.Create(new Policy(time));

    /// <param name="context">The request.</param>
    /// <param name="caller">Its caller.</param>
    /// <param name="body">Its body; null when it can have none.</param>
    public void Start(HttpContext context, CallerIdentity caller, ReceivedStream? body)
    {
        lock (_lock)
        {
            _request = context.Features.GetRequiredFeature<IHttpRequestLifetimeFeature>();
            _response = context.Features.GetRequiredFeature<IHttpResponseFeature>();
            // A gRPC call counts as in transfer throughout: either side may send messages, or pause, for any length of time.
            _isGrpc = context.Request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) == true;
            (_body, _isRevoked, _hasWaited) = (body, caller.IsRevoked, false);
            var now = _time.GetUtcNow();
            // Within the clock skew, an expired token is still accepted.
            SetDue(caller.ExpiresAt > now ? caller.ExpiresAt : now + Grace, now);
        }
    }

    /// <summary>Releases the request. The next request may use the same features.</summary>
    public void Stop()
    {
        lock (_lock)
        {
            (_request, _response, _body, _isRevoked) = (null, null, null, null);
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void OnDue()
    {
        lock (_lock)
        {
            if (_request is null) return;
            var now = _time.GetUtcNow();
            if (_isRevoked?.Invoke() == true) (_isRevoked, _due) = (null, now);
            // The timer fired for an earlier request, too early, after the longest time that a timer takes, or to look whether the key is still there.
            if (now < _due)
            {
                SetDue(_due, now);
            }
            else if (!IsInTransfer)
            {
                _hasWaited = true;
                SetDue(now + s_checkInterval, now);
            }
            else if (_hasWaited)
            {
                _hasWaited = false;
                SetDue(now + Grace, now);
            }
            else
            {
                _request.Abort();
            }
        }
    }

    private bool IsInTransfer => _response!.HasStarted || _body is { IsReceived: false } || _isGrpc;

    private void SetDue(DateTimeOffset due, DateTimeOffset now)
    {
        _due = due;
        var longest = _isRevoked is null ? s_longest : s_revocationCheck;
        _timer.Change(due - now < longest ? due - now : longest, Timeout.InfiniteTimeSpan);
    }

    private sealed class Policy(TimeProvider time) : PooledObjectPolicy<TokenDeadline>
    {
        public override TokenDeadline Create() => new(time);

        public override bool Return(TokenDeadline obj) => true;
    }
}

/// <summary>Applies the token's deadline to every exchange of an authenticated caller.</summary>
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
                deadline.Start(context, caller, context.Request.Body as ReceivedStream);
                context.Response.OnCompleted(release, deadline);
            }

            return next(context);
        });
    }
}
