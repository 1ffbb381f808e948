using IotCredentials.Failures;

namespace IotCredentials.Redis;

/// <summary>Decides which of the problems that successive probes find is logged. Each of them is a node's state of a moment, and most are over at once.</summary>
internal sealed class RedisProblemFilter
{
    // The client reconnects within seconds after the probe finds no problem. After more clean probes than this, the problem is NotConnected.
    private const int MostClean = 10;

    // A server that starts passes through several causes, so a cause that differs from the logged one is logged only if more probes in a row than this find it.
    private const int MostAlike = 10;

    private RedisProblem? _logged;
    private RedisProblem? _last;
    private int _times;
    private int _clean;

    /// <summary>The problem that is to be logged after a probe; null if there is none, or it is not to be logged yet.</summary>
    /// <param name="found">The problem that the probe has found; null if it has found none, although the client is not connected.</param>
    public RedisProblem? Next(RedisProblem? found)
    {
        _clean = found is null ? _clean + 1 : 0;
        if (_clean > MostClean) found = RedisProblem.NotConnected;
        _times = found == _last ? _times + 1 : 1;
        _last = found;
        if (found is null || found == _logged) return null;
        // A server that shuts down closes its connections first, so that is logged as the first cause only when it repeats.
        var isClosed = found.Code == RedisProblem.Closed.Code || found.Code == RedisProblem.ClosedInTls.Code;
        var isCertain = _logged is null ? !isClosed || _times > 1 : _times > MostAlike;
        return isCertain ? _logged = found : null;
    }
}
