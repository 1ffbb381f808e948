using System.IO.Hashing;
using System.Runtime.InteropServices;
using Yarp.ReverseProxy.Model;

namespace Gateway.LoadBalancing;

/// <summary>
/// Destinations that take requests, with their weights. Several addresses of one destination share its weight: they count for more or less requests only as far
/// as one another. So a service that gets another address, or loses one, does not change the share of a canary beside it.
/// </summary>
/// <param name="destinations">The destinations, each with a weight above 0.</param>
/// <param name="part">The part of its share that a destination gets now: 1, or less in its slow start.</param>
internal sealed class WeightedDestinations(IReadOnlyList<DestinationState> destinations, Func<DestinationState, double> part)
{
    private readonly Group[] _groups =
    [
        .. destinations.GroupBy(static destination => DestinationWeight.Of(destination).Name, StringComparer.Ordinal)
            .OrderBy(static named => named.Key, StringComparer.Ordinal)
            .Select(static named => new Group(
                named.Key, DestinationWeight.Of(named.First()).Weight, [.. named.OrderBy(static member => member.DestinationId, StringComparer.Ordinal)])),
    ];

    /// <summary>The destination at a point from 0 to less than 1, if each takes a part of that line in proportion to its weight.</summary>
    public DestinationState At(double point)
    {
        var all = 0.0;
        foreach (var group in _groups) all += group.Share(part);
        var rest = point * all;
        for (var i = 0; ; i++)
        {
            var share = _groups[i].Share(part);
            if (rest < share || i == _groups.Length - 1) return _groups[i].At(Math.Min(rest / share, 1), part);
            rest -= share;
        }
    }

    /// <summary>
    /// The destination of a caller, by weighted rendezvous hashing: each destination draws a number from its own name and the caller, and the one whose number is
    /// the best for its weight wins. So a destination that goes moves its own callers only, and a weight that changes moves as few as possible.
    /// </summary>
    public DestinationState Of(ulong caller)
    {
        var group = _groups[0];
        var best = double.NegativeInfinity;
        foreach (var other in _groups)
        {
            var score = Score(caller, other.Name, other.Share(part));
            if (score > best) (group, best) = (other, score);
        }

        return group.Of(caller, part);
    }

    /// <summary>The part of all requests that a destination gets.</summary>
    public double ShareOf(DestinationState destination)
    {
        var all = _groups.Sum(group => group.Share(part));
        var own = Array.Find(_groups, group => group.Members.Contains(destination));
        return own is null ? 0 : own.Share(part) / all * part(destination) / own.Members.Sum(part);
    }

    private static double Score(ulong caller, string name, double weight)
    {
        var drawn = XxHash3.HashToUInt64(MemoryMarshal.AsBytes(name.AsSpan()), unchecked((long)caller));
        // A number above 0 and below 1, all equally likely. Its logarithm divided by the weight is the largest as often as the weight says.
        return Math.Log(((drawn >> 11) + 0.5) / (1UL << 53)) / weight;
    }

    /// <summary>A destination as it was written, with its addresses.</summary>
    private sealed class Group(string name, int weight, DestinationState[] members)
    {
        public string Name => name;

        public DestinationState[] Members => members;

        // A new address beside others is no reason to send fewer requests to all of them.
        public double Share(Func<DestinationState, double> part)
        {
            var most = 0.0;
            foreach (var member in members) most = Math.Max(most, part(member));
            return weight * most;
        }

        public DestinationState At(double point, Func<DestinationState, double> part)
        {
            var all = 0.0;
            foreach (var member in members) all += part(member);
            var rest = point * all;
            for (var i = 0; i < members.Length - 1; i++)
            {
                var own = part(members[i]);
                if (rest < own) return members[i];
                rest -= own;
            }

            return members[^1];
        }

        public DestinationState Of(ulong caller, Func<DestinationState, double> part)
        {
            var (found, best) = (members[0], double.NegativeInfinity);
            if (members.Length == 1) return found;
            foreach (var member in members)
            {
                var score = Score(caller, member.DestinationId, part(member));
                if (score > best) (found, best) = (member, score);
            }

            return found;
        }
    }
}
