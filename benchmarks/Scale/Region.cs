namespace Scale;

/// <summary>The clients of a region: told of the responses that they did not get at once.</summary>
internal interface IRespond
{
    void Served(int client, double remaining);

    void Failed(int client, double retryAfter);
}

/// <summary>
/// The gateways of one region, their memory, the Redis that they share and their calls to STS, by the rules of <c>CredentialVendor</c>, <c>Fetcher</c>,
/// <c>StsRateLimiter</c> and <c>RedisLock</c>, in steps of simulated time. One thread, and one source of random numbers: the same seed gives the same result.
/// </summary>
internal sealed class Region
{
    private const float None = float.NegativeInfinity;
    private const double SweepInterval = 60;
    private const double FindAgainInterval = 0.1;

    private readonly Setting _setting;
    private readonly IRespond _clients;
    private readonly Random _random;
    private readonly StsModel _sts;

    // The time at which the entry of an organization was vended: in Redis, and in the memory of each replica, with the time of its last use.
    private readonly float[] _shared;
    private readonly float[][] _local;
    private readonly float[][] _used;

    private readonly int[] _inMemory;
    private readonly double[] _renewAt;
    private readonly double[] _permits;
    private readonly double _mostPermits;
    private readonly int[] _underWay;
    private readonly Queue<Call>[] _queues;
    private readonly int[] _queued;
    private readonly BreakerModel[] _breakers;

    private readonly Dictionary<(int Replica, int Organization), Call> _calls = [];
    private readonly Dictionary<int, Call> _locks = [];
    private readonly List<Call> _withoutLock = [];
    private readonly Queue<Call> _renewals = new();
    private readonly PriorityQueue<Call, (double Time, long Order)> _attempts = new();
    private readonly Call?[] _waitsFor;
    private long _order;
    private long _step;
    private double _sweepAt = SweepInterval;
    private bool _hadOutage;
    private bool _restarted;
    private Counts _counts;

    public Region(Setting setting, int clients, IRespond respond, Random random)
    {
        (_setting, _clients, _random, _sts) = (setting, respond, random, new StsModel(setting));
        _waitsFor = new Call?[clients];
        _shared = Empty();
        _local = [.. Enumerable.Range(0, setting.Replicas).Select(_ => Empty())];
        _used = [.. Enumerable.Range(0, setting.Replicas).Select(_ => new float[setting.Organizations])];
        _inMemory = new int[setting.Replicas];
        _renewAt = [.. _inMemory.Select(_ => setting.RefreshAfter * (1 - (Parameters.LargestSpread * random.NextDouble())))];
        _mostPermits = Math.Max(1, setting.PermitsPerSecond / 10.0);
        _permits = [.. _inMemory.Select(_ => _mostPermits)];
        _underWay = new int[setting.Replicas];
        _queued = new int[setting.Replicas];
        _queues = [.. _inMemory.Select(_ => new Queue<Call>())];
        _breakers = [.. _inMemory.Select(_ => new BreakerModel())];
    }

    public double Now { get; private set; }

    /// <summary>What was counted in each minute.</summary>
    public List<Counts> Minutes { get; } = [];

    /// <summary>What was counted since the last whole minute.</summary>
    public Counts Rest => _counts;

    private bool IsRedisUp => Now < _setting.RedisOutage.From || Now >= _setting.RedisOutage.To;

    public bool IsWaiting(int client) => _waitsFor[client] is not null;

    /// <summary>
    /// A client's request. Returns the remaining lifetime of the credentials that it gets at once; null if it waits, for <see cref="Setting.WorkTimeout"/> at
    /// most.
    /// </summary>
    public double? Ask(int client, int replica, int organization)
    {
        _counts.Requests++;
        var issued = _local[replica][organization];
        if (IsAcceptable(issued))
        {
            _counts.FromMemory++;
            _used[replica][organization] = (float)Now;
            if (IsDue(issued, replica)) Renew(replica, organization);
            return Remaining(issued);
        }

        if (IsRedisUp)
        {
            issued = Read(replica, organization);
            if (IsAcceptable(issued))
            {
                _counts.FromRedis++;
                if (IsDue(issued, replica)) Renew(replica, organization);
                return Remaining(issued);
            }
        }

        var call = _calls.GetValueOrDefault((replica, organization)) ?? Begin(replica, organization);
        if (call.Stage == Stage.Done)
        {
            _counts.FromRedis++;
            return Remaining(_local[replica][organization]);
        }

        call.Waiters.Add(client);
        _waitsFor[client] = call;
        return null;
    }

    /// <summary>A client has waited for <see cref="Setting.WorkTimeout"/>.</summary>
    public void Leave(int client)
    {
        var call = _waitsFor[client]!;
        call.Waiters.Remove(client);
        Refuse(client, call, call.Stage is Stage.Queued ? 1 : 2);
        CancelIfUnwanted(call);
    }

    /// <summary>Ends the current step.</summary>
    public void Step()
    {
        Lose();
        EndRenewals();
        foreach (var call in _withoutLock.ToArray()) TryWithoutLock(call);
        _withoutLock.RemoveAll(static call => call.Stage is Stage.Done || call.HasLock);
        for (var replica = 0; replica < _setting.Replicas; replica++) Serve(replica);
        while (_attempts.TryPeek(out _, out var next) && next.Time <= Now) Attempt(_attempts.Dequeue());
        foreach (var queued in _queued) _counts.LongestQueue = Math.Max(_counts.LongestQueue, queued);
        Now = ++_step * _setting.Step;
        if (Now < _sweepAt) return;
        Sweep();
        _sweepAt += SweepInterval;
        Minutes.Add(_counts);
        _counts = default;
    }

    private float[] Empty()
    {
        var entries = new float[_setting.Organizations];
        Array.Fill(entries, None);
        return entries;
    }

    private double Remaining(float issued) => issued + _setting.Session - Now;

    private bool IsCached(float issued) => Remaining(issued) > Parameters.ShortestRemaining;

    private bool IsRecent(float issued) => Now - issued < Math.Min(_setting.RefreshAfter, Parameters.LeastBetweenVends);

    private bool IsAcceptable(float issued) =>
        IsCached(issued) && Remaining(issued) >= _setting.Minimum + (IsRecent(issued) ? 0 : Parameters.ClockTolerance);

    private bool IsDue(float issued, int replica) =>
        Now - issued >= _renewAt[replica] || Remaining(issued) < _setting.Minimum + (2 * Parameters.ClockTolerance);

    private bool IsCurrent(float issued, int replica) => IsCached(issued) && (IsRecent(issued) || (IsAcceptable(issued) && !IsDue(issued, replica)));

    // Reads Redis into a replica's memory, unless that has a newer entry.
    private float Read(int replica, int organization)
    {
        _counts.Reads++;
        var (shared, local) = (_shared[organization], _local[replica][organization]);
        if (!IsCached(shared) || shared <= local) return local;
        Store(replica, organization, shared);
        return shared;
    }

    private void Store(int replica, int organization, float issued)
    {
        var local = _local[replica];
        if (local[organization] == None)
        {
            // Memory that is full does not take the entry; it makes room for the next ones.
            if (_inMemory[replica] >= _setting.MaxEntries)
            {
                Compact(replica);
                return;
            }

            _inMemory[replica]++;
        }

        local[organization] = issued;
        _used[replica][organization] = (float)Now;
    }

    // As Microsoft's MemoryCache: first what has expired, then what was not used for longest, down to 95 % of the limit.
    private void Compact(int replica)
    {
        Expire(replica);
        var excess = _inMemory[replica] - (int)(_setting.MaxEntries * 0.95);
        if (excess <= 0) return;
        var (local, used) = (_local[replica], _used[replica]);
        var uses = new List<float>(_inMemory[replica]);
        for (var i = 0; i < local.Length; i++)
        {
            if (local[i] != None) uses.Add(used[i]);
        }

        uses.Sort();
        var oldest = uses[excess - 1];
        for (var i = 0; i < local.Length && excess > 0; i++)
        {
            if (local[i] == None || used[i] > oldest) continue;
            local[i] = None;
            _inMemory[replica]--;
            excess--;
        }
    }

    private void Expire(int replica)
    {
        var local = _local[replica];
        var oldest = Now - (_setting.Session - Parameters.ShortestRemaining);
        for (var i = 0; i < local.Length; i++)
        {
            if (local[i] == None || local[i] > oldest) continue;
            local[i] = None;
            _inMemory[replica]--;
        }
    }

    private void Sweep()
    {
        for (var replica = 0; replica < _setting.Replicas; replica++)
        {
            Expire(replica);
            _counts.MostInMemory = Math.Max(_counts.MostInMemory, _inMemory[replica]);
        }

        foreach (var issued in _shared)
        {
            if (IsCached(issued)) _counts.InRedis++;
        }
    }

    // What Redis loses in its outage, and what replicas lose when they restart.
    private void Lose()
    {
        if (!_hadOutage && _setting.RedisOutage.To > 0 && Now >= _setting.RedisOutage.From)
        {
            _hadOutage = true;
            if (_setting.RedisLosesData) Array.Fill(_shared, None);
        }

        if (_restarted || Now < _setting.Restart) return;
        _restarted = true;
        foreach (var local in _local) Array.Fill(local, None);
        Array.Clear(_inMemory);
    }

    private void Renew(int replica, int organization)
    {
        if (_calls.ContainsKey((replica, organization))) return;
        var call = Begin(replica, organization);
        if (call.Stage == Stage.Done) return;
        call.IsRenewal = true;
        _renewals.Enqueue(call);
    }

    // A renewal is wanted for as long as a caller would wait.
    private void EndRenewals()
    {
        while (_renewals.TryPeek(out var call) && Now - call.Begun >= _setting.WorkTimeout)
        {
            _renewals.Dequeue();
            call.IsRenewal = false;
            CancelIfUnwanted(call);
        }
    }

    private Call Begin(int replica, int organization)
    {
        var call = new Call { Replica = replica, Organization = organization, Begun = Now };
        _calls.Add((replica, organization), call);
        if (!IsRedisUp) Enqueue(call);
        else if (TryLock(call)) FindOrEnqueue(call);
        else _withoutLock.Add(call);
        return call;
    }

    private bool TryLock(Call call)
    {
        _counts.Locks++;
        if (!_locks.TryAdd(call.Organization, call)) return false;
        (call.HasLock, call.LockedAt) = (true, Now);
        return true;
    }

    private void FindOrEnqueue(Call call)
    {
        if (Find(call)) End(call);
        else Enqueue(call);
    }

    private bool Find(Call call) => IsCurrent(Read(call.Replica, call.Organization), call.Replica);

    // A call that waits for another replica's lock, or goes on without it.
    private void TryWithoutLock(Call call)
    {
        if (call.Stage is Stage.Done) return;
        if (!IsRedisUp)
        {
            if (call.Stage is Stage.Locking) Enqueue(call);
        }
        else if (call.Stage is Stage.Locking)
        {
            _counts.Polls += _setting.Step / Parameters.LockPollInterval;
            if (IsCurrent(_shared[call.Organization], call.Replica) && Find(call)) End(call);
            else if (!_locks.ContainsKey(call.Organization) && TryLock(call)) FindOrEnqueue(call);
            else if (Now - call.Begun > _setting.WorkTimeout / 2) Enqueue(call);
        }
        else
        {
            _counts.Polls += _setting.Step / FindAgainInterval / 3;
            if (IsCurrent(_shared[call.Organization], call.Replica) && Find(call)) End(call);
        }
    }

    private void Enqueue(Call call)
    {
        call.Stage = Stage.Queued;
        _queues[call.Replica].Enqueue(call);
        _queued[call.Replica]++;
    }

    // StsRateLimiter is fair between callers. Here every caller asks for one organization, so that its order is the order of arrival.
    private void Serve(int replica)
    {
        _permits[replica] = Math.Min(_mostPermits, _permits[replica]) + (_setting.Step * _setting.PermitsPerSecond);
        var queue = _queues[replica];
        while (_permits[replica] >= 1 && _underWay[replica] < _setting.MaxConcurrent && queue.TryDequeue(out var call))
        {
            if (call.Stage is not Stage.Queued) continue;
            _queued[replica]--;
            _permits[replica]--;
            _underWay[replica]++;
            (call.Stage, call.IssuedAt) = (Stage.Calling, Now);
            if (_breakers[replica].Wait(Now) is > 0 and var wait) Fail(call, wait);
            else Schedule(call, Now);
        }
    }

    private void Schedule(Call call, double time) => _attempts.Enqueue(call, (time, _order++));

    private void Attempt(Call call)
    {
        if (call.IsAccepted)
        {
            Complete(call);
            return;
        }

        _counts.StsRequests++;
        call.Attempts++;
        var isDown = _sts.IsDown(Now);
        if (!isDown && _sts.Accepts(Now))
        {
            call.IsAccepted = true;
            Schedule(call, Now + _setting.StsLatency);
            return;
        }

        if (!isDown) _counts.StsThrottled++;
        var next = Now + (_random.NextDouble() * (1 << (call.Attempts - 1)));
        if (call.Attempts < Parameters.Attempts && next < call.IssuedAt + _setting.CallTimeout)
        {
            Schedule(call, next);
            return;
        }

        _breakers[call.Replica].Report(Now, failed: true);
        Fail(call, isDown ? 2 : 1);
    }

    private void Complete(Call call)
    {
        _breakers[call.Replica].Report(Now, failed: false);
        _counts.Vends++;
        var issued = (float)call.IssuedAt;
        Store(call.Replica, call.Organization, issued);
        if (IsRedisUp)
        {
            _counts.Writes++;
            _shared[call.Organization] = issued;
        }

        call.Vended = issued;
        End(call);
    }

    private void End(Call call)
    {
        Close(call);
        // Memory that is full has not taken the entry.
        var issued = Math.Max(Math.Max(_local[call.Replica][call.Organization], _shared[call.Organization]), call.Vended);
        foreach (var client in call.Waiters)
        {
            _counts.AfterCall++;
            _waitsFor[client] = null;
            _clients.Served(client, Remaining(issued));
        }
    }

    private void Fail(Call call, double retryAfter)
    {
        Close(call);
        foreach (var client in call.Waiters) Refuse(client, call, retryAfter);
    }

    // Without a response of STS, a caller gets what is in memory, even below the minimum lifetime.
    private void Refuse(int client, Call call, double retryAfter)
    {
        _waitsFor[client] = null;
        var issued = _local[call.Replica][call.Organization];
        if (IsCached(issued))
        {
            _counts.Degraded++;
            _clients.Served(client, Remaining(issued));
        }
        else
        {
            _counts.Failed++;
            _clients.Failed(client, retryAfter);
        }
    }

    private void CancelIfUnwanted(Call call)
    {
        if (call is { Waiters.Count: 0, IsRenewal: false, Stage: Stage.Locking or Stage.Queued }) Close(call);
    }

    private void Close(Call call)
    {
        if (call.Stage is Stage.Calling) _underWay[call.Replica]--;
        if (call.Stage is Stage.Queued) _queued[call.Replica]--;
        call.Stage = Stage.Done;
        _calls.Remove((call.Replica, call.Organization));
        if (!call.HasLock) return;
        call.HasLock = false;
        _locks.Remove(call.Organization);
        _counts.Releases++;
        _counts.Extensions += Math.Floor((Now - call.LockedAt) / Parameters.LockExtension);
    }

    private enum Stage
    {
        Locking,
        Queued,
        Calling,
        Done,
    }

    /// <summary>A replica's work on an organization's new credentials.</summary>
    private sealed class Call
    {
        public required int Replica { get; init; }
        public required int Organization { get; init; }
        public required double Begun { get; init; }
        public List<int> Waiters { get; } = [];
        public Stage Stage { get; set; }
        public bool HasLock { get; set; }
        public double LockedAt { get; set; }
        public bool IsRenewal { get; set; }
        public double IssuedAt { get; set; }
        public int Attempts { get; set; }
        public bool IsAccepted { get; set; }
        public float Vended { get; set; } = None;
    }
}
