namespace Scale;

/// <summary>
/// Clients as the samples are: each fetches credentials, and again some minutes before they expire. After a 503 it waits for Retry-After and a
/// random time more. A load balancer sends each request to any replica.
/// </summary>
internal sealed class Clients : IRespond
{
    private readonly Setting _setting;
    private readonly Random _random;
    private readonly Calendar _calendar;
    private readonly Region _region;
    private readonly float[] _validUntil;
    private long _step;

    public Clients(Setting setting, int seed)
    {
        _setting = setting;
        _random = new Random(seed);
        var clients = setting.Organizations * setting.Clients;
        _calendar = new Calendar(clients, setting.Step, 2 * setting.Session);
        _region = new Region(setting, clients, this, _random);
        _validUntil = new float[clients];
        // Clients of an organization that share a session fetch the next one together, so organizations must not all begin at once.
        var cycle = setting.Session - _setting.RefreshAhead.Earliest;
        for (var organization = 0; organization < setting.Organizations; organization++)
        {
            var first = _random.NextDouble() * cycle;
            for (var i = 0; i < setting.Clients; i++) _calendar.Set((organization * setting.Clients) + i, first + (_random.NextDouble() * cycle));
        }
    }

    /// <summary>What was counted in each minute.</summary>
    public IReadOnlyList<Counts> Minutes => _region.Minutes;

    /// <summary>The clients in each minute whose credentials have expired.</summary>
    public List<int> Lapsed { get; } = [];

    /// <summary>Runs until a time in seconds.</summary>
    public Clients RunUntil(double end)
    {
        while (_region.Now < end)
        {
            for (var client = _calendar.Take(_step); client >= 0; client = _calendar.Take(_step)) Act(client);
            _region.Step();
            _step++;
            if (_region.Minutes.Count > Lapsed.Count) Lapsed.Add(_validUntil.Count(until => until < _region.Now));
        }

        return this;
    }

    /// <summary>All clients lose their credentials, and ask within a time in seconds.</summary>
    public Clients AllAskWithin(double duration)
    {
        for (var client = 0; client < _validUntil.Length; client++)
        {
            if (_region.IsWaiting(client)) continue;
            _validUntil[client] = 0;
            _calendar.Set(client, _region.Now + (_random.NextDouble() * duration));
        }

        return this;
    }

    public void Served(int client, double remaining)
    {
        _validUntil[client] = (float)(_region.Now + remaining);
        var ahead = remaining < 2 * _setting.RefreshAhead.Earliest
            ? remaining * Between(0.25, 0.5)
            : Between(_setting.RefreshAhead.Latest, _setting.RefreshAhead.Earliest);
        Set(client, remaining - ahead);
    }

    public void Failed(int client, double retryAfter) => Set(client, Math.Ceiling(retryAfter) * Between(1, 2));

    private void Act(int client)
    {
        if (_region.IsWaiting(client)) _region.Leave(client);
        else if (_region.Ask(client, _random.Next(_setting.Replicas), client / _setting.Clients) is { } remaining) Served(client, remaining);
        else Set(client, _setting.WorkTimeout);
    }

    // Never in the step that is being worked on.
    private void Set(int client, double seconds) => _calendar.Set(client, _region.Now + Math.Max(_setting.Step, seconds));

    private double Between(double least, double most) => least + (_random.NextDouble() * (most - least));
}
