namespace Scale;

/// <summary>The next event of each client, in a ring of steps of simulated time.</summary>
internal sealed class Calendar
{
    private const int None = -1;
    private readonly int[] _first;
    private readonly int[] _next;
    private readonly int[] _previous;
    private readonly int[] _slot;
    private readonly double _step;

    /// <param name="clients">The number of clients.</param>
    /// <param name="step">The length of a step in seconds.</param>
    /// <param name="horizon">The longest time in seconds to an event.</param>
    public Calendar(int clients, double step, double horizon)
    {
        (_step, _next, _previous, _slot) = (step, new int[clients], new int[clients], new int[clients]);
        _first = new int[(int)(horizon / step) + 2];
        Array.Fill(_first, None);
        Array.Fill(_slot, None);
    }

    /// <summary>Sets a client's event, in place of the one that it had.</summary>
    public void Set(int client, double time)
    {
        Remove(client);
        var slot = (int)((long)(time / _step) % _first.Length);
        (_slot[client], _previous[client], _next[client]) = (slot, None, _first[slot]);
        if (_first[slot] != None) _previous[_first[slot]] = client;
        _first[slot] = client;
    }

    /// <summary>Takes a client whose event is in a step; -1 if there is none.</summary>
    public int Take(long step)
    {
        var client = _first[(int)(step % _first.Length)];
        if (client != None) Remove(client);
        return client;
    }

    private void Remove(int client)
    {
        var slot = _slot[client];
        if (slot == None) return;
        if (_previous[client] == None) _first[slot] = _next[client];
        else _next[_previous[client]] = _next[client];
        if (_next[client] != None) _previous[_next[client]] = _previous[client];
        _slot[client] = None;
    }
}
