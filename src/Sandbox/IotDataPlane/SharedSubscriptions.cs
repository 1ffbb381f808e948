using MQTTnet;
using MQTTnet.Protocol;

namespace Sandbox.IotDataPlane;

/// <summary>
/// Shared subscriptions, which MQTTnet does not have: each message goes to one member of each group, in turn. A membership ends with the connection. Safe from
/// any thread.
/// </summary>
internal sealed class SharedSubscriptions
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Group, string Filter), List<(MqttConnection Client, MqttQualityOfServiceLevel Quality)>> _groups = [];

    public void Add(string group, string filter, MqttConnection client, MqttQualityOfServiceLevel quality)
    {
        lock (_lock)
        {
            if (!_groups.TryGetValue((group, filter), out var members)) _groups[(group, filter)] = members = [];
            members.RemoveAll(member => member.Client == client);
            members.Add((client, quality));
        }
    }

    /// <summary>Removes a member of one group; true if it was one.</summary>
    public bool Remove(string group, string filter, MqttConnection client)
    {
        lock (_lock)
        {
            if (!_groups.TryGetValue((group, filter), out var members) || members.RemoveAll(member => member.Client == client) == 0) return false;
            if (members.Count == 0) _groups.Remove((group, filter));
            return true;
        }
    }

    /// <summary>Removes a client from all groups.</summary>
    public void Remove(MqttConnection client)
    {
        lock (_lock)
        {
            foreach (var (group, filter) in _groups.Keys.ToList()) Remove(group, filter, client);
        }
    }

    /// <summary>The next member of each group that a topic concerns, among those that may receive it.</summary>
    public IReadOnlyList<(MqttConnection Client, string Group, MqttQualityOfServiceLevel Quality)> Next(string topic)
    {
        lock (_lock)
        {
            var next = new List<(MqttConnection, string, MqttQualityOfServiceLevel)>();
            foreach (var ((group, filter), members) in _groups)
            {
                if (MqttTopicFilterComparer.Compare(topic, filter) != MqttTopicFilterCompareResult.IsMatch) continue;
                var index = members.FindIndex(member => member.Client.Session.MayReceive(member.Client.ClientId, group, topic));
                if (index < 0) continue;
                var member = members[index];
                members.RemoveAt(index);
                members.Add(member);
                next.Add((member.Client, group, member.Quality));
            }

            return next;
        }
    }
}
