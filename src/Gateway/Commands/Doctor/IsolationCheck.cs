using System.Security.Cryptography;
using IotCredentials.Failures;
using IotCredentials.Operations;
using MQTTnet;

namespace Gateway.Commands.Doctor;

/// <summary>
/// Tries at AWS IoT what the session of one organization may do: for itself, which must work, and to another, which must be refused. Nothing stays behind:
/// topics, client ids and things have a random name where the policy allows one, retained messages are empty, and shadows are asked for a version that they do
/// not have.
/// </summary>
internal sealed class IsolationCheck : IAsyncDisposable
{
    private const string Refused = "refused";
    private const string Shadow = """{"state":{"reported":{}},"version":2147483647}""";

    // A message that has not arrived so long after the others will not.
    private static readonly TimeSpan s_settle = TimeSpan.FromSeconds(1);

    private readonly List<DoctorResult> _results = [];
    private readonly List<(string Action, string Resource)> _tried = [];
    private readonly List<(string Action, string Resource)> _foreign = [];
    private readonly string _mark = $"isolation-{RandomNumberGenerator.GetHexString(8, lowercase: true)}";
    private readonly GrantedResources _granted;
    private readonly GrantedResources _grantedToOther;
    private readonly IsolationNames _names;
    private readonly IotDataClient _own;
    private readonly IotDataClient _other;

    private IsolationCheck(TrialSession own, TrialSession other, Func<TrialSession, Uri> endpointOf, TimeSpan timeout, CancellationToken ended)
    {
        _granted = new GrantedResources(own.Policy);
        _grantedToOther = new GrantedResources(other.Policy);
        _names = new IsolationNames(_granted, _grantedToOther, other.SharedTopics, _mark);
        _own = new IotDataClient(own, endpointOf(own), _mark, timeout, ended)
        {
            ClientId = ClientIn(_names),
        };
        _other = new IotDataClient(other, endpointOf(other), _mark, timeout, ended)
        {
            ClientId = ClientIn(new IsolationNames(_grantedToOther, _granted, own.SharedTopics, $"{_mark}-other")),
        };
    }

    /// <summary>Tries everything; the results say what was allowed, refused, or could not be tried.</summary>
    /// <param name="own">The session that tries.</param>
    /// <param name="other">The session of the organization that it must not reach.</param>
    /// <param name="endpointOf">Returns the address of a session's data endpoint.</param>
    /// <param name="timeout">The longest that each step may take. All together take sixty times as long at most, for these two sessions.</param>
    public static async Task<IReadOnlyList<DoctorResult>> RunAsync(
        TrialSession own, TrialSession other, Func<TrialSession, Uri> endpointOf, TimeSpan timeout)
    {
        using var deadline = new CancellationTokenSource(timeout * 60);
        await using var check = new IsolationCheck(own, other, endpointOf, timeout, deadline.Token);
        try
        {
            await check.TryAllAsync(deadline.Token);
            check.Conclude();
        }
        catch (VendingException known)
        {
            check._results.Add(new("connection", Outcome.Failed, FailureText.Of(known)));
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            check._results.Add(new("connection", Outcome.Failed, $"not everything was tried within {timeout.TotalSeconds * 60} s: raise --timeout"));
        }

        return check._results;
    }

    public async ValueTask DisposeAsync()
    {
        await _own.DisposeAsync();
        await _other.DisposeAsync();
    }

    private async Task TryAllAsync(CancellationToken ended)
    {
        await TryAsync(
            "connect", IsolationNames.Connect, _names.Own(IsolationNames.Connect, IsolationNames.Client), _names.ForeignClients(), _own.ConnectAsync);
        if (_own.ClientId is not null)
        {
            await _own.ReconnectAsync();
            await TryAsync(
                "publish", IsolationNames.Publish, _names.Own(IsolationNames.Publish, IsolationNames.Topic), _names.ForeignTopics(IsolationNames.Publish),
                topic => _own.PublishAsync(topic, PayloadFor(topic)));
            var filters = _names.Own(IsolationNames.Subscribe, IsolationNames.Filter);
            await TryAsync(
                "subscribe", IsolationNames.Subscribe, [.. filters.Where(static filter => !IsolationNames.IsShared(filter))], _names.ForeignFilters(),
                _own.SubscribeAsync);
            await TryAsync(
                "subscribe shared", IsolationNames.Subscribe, [.. filters.Where(IsolationNames.IsShared)], _names.ForeignSharedFilters(), _own.SubscribeAsync);
            // An empty retained message removes what is retained, so only topics with the random mark are used.
            await TryAsync(
                "retain", IsolationNames.RetainPublish, [.. _names.Own(IsolationNames.RetainPublish, IsolationNames.Topic).Where(MayPublish)],
                [.. _names.ForeignTopics(IsolationNames.RetainPublish).Where(IsolationNames.IsForClients)],
                topic => _own.PublishAsync(topic, "", retain: true), onlyMarked: true);
            await ReceiveAsync(ended);
        }

        // Both ways obey the same policy, so topics of AWS's own need only one of them.
        bool IsForHttps(string topic) => _own.ClientId is null || IsolationNames.IsForClients(topic);
        await TryAsync(
            "publish over HTTPS", IsolationNames.Publish, [.. _names.Own(IsolationNames.Publish, IsolationNames.Topic).Where(IsForHttps)],
            [.. _names.ForeignTopics(IsolationNames.Publish).Where(IsForHttps)],
            topic => _own.SendAsync(HttpMethod.Post, $"/topics/{Uri.EscapeDataString(topic)}", "qos=1", PayloadFor(topic)));
        await TryAsync(
            "get retained", IsolationNames.GetRetained, [.. _names.Own(IsolationNames.GetRetained, IsolationNames.Topic).Where(IsolationNames.IsForClients)],
            _names.SecretTopics(IsolationNames.GetRetained),
            topic => _own.SendAsync(HttpMethod.Get, $"/retainedMessage/{Uri.EscapeDataString(topic)}"));
        foreach (var (method, action) in new[]
                 {
                     (HttpMethod.Get, "iot:GetThingShadow"), (HttpMethod.Post, "iot:UpdateThingShadow"), (HttpMethod.Delete, "iot:DeleteThingShadow"),
                 })
        {
            await TryAsync(
                $"{method.Method.ToLowerInvariant()} shadow", action, _names.Own(action, IsolationNames.Thing), _names.ForeignThings(action),
                thing => _own.SendAsync(method, ShadowPath(thing, out var query), query, method == HttpMethod.Post ? Shadow : ""),
                onlyMarked: method == HttpMethod.Delete);
        }

        await TryAsync(
            "list shadows", IsolationNames.ListShadows, [.. _names.Own(IsolationNames.ListShadows, IsolationNames.Thing).Where(IsThing)],
            [.. _names.ForeignThings(IsolationNames.ListShadows).Where(IsThing)],
            thing => _own.SendAsync(HttpMethod.Get, $"/api/things/shadow/ListNamedShadowsForThing/{Uri.EscapeDataString(thing)}"));
        // Without a connection there are no subscriptions.
        var untried = _names.NotTried(_tried, _foreign).Where(each => each.Action != IsolationNames.Subscribe || _granted.Grants(IsolationNames.Connect));
        foreach (var (action, resource) in untried)
            Add($"not tried: {action} {resource}", Outcome.Failed, $"the policy grants it: whether it reaches {_other.Session.Organization} is not known");
    }

    private void Conclude()
    {
        if (_results.Exists(static result => result.Outcome == Outcome.Failed)) return;
        var refused = _results.Count(static result => result.Found == Refused);
        var (own, other) = (_own.Session.Organization, _other.Session.Organization);
        if (refused == 0) Add("isolation", Outcome.Failed, $"nothing was refused: the session policy names nothing of {other}'s to try");
        else Add("isolation", Outcome.Ok, $"{own} does not reach {other}: {refused} operations were refused");
    }

    private bool MayPublish(string topic) => _granted.Allows(IsolationNames.Publish, topic);

    // A named shadow has its name behind the thing's.
    private static bool IsThing(string resource) => resource.Split('/').Length == 2;

    // Actions that remove something are tried only with random names.
    private async Task TryAsync(
        string what, string action, IReadOnlyList<string> own, IReadOnlyList<string> foreign, Func<string, Task<IotDecision>> operation,
        bool onlyMarked = false)
    {
        bool MayTry(string name) => !onlyMarked || name.Contains(_mark, StringComparison.Ordinal);
        if (own.Count == 0 && !_granted.Grants(action)) Add(what, Outcome.Ok, "the policy does not grant it");
        _tried.AddRange(own.Concat(foreign).Where(MayTry).Select(name => (action, name)));
        _foreign.AddRange(foreign.Where(MayTry).Select(name => (action, name)));
        foreach (var resource in own.Where(MayTry))
        {
            var works = await operation(NameIn(resource)!) == IotDecision.Done;
            Add($"{what} {NameIn(resource)}", works ? Outcome.Ok : Outcome.Failed,
                works ? "works" : $"refused, although the policy grants it by {_granted.GrantOf(action, resource)}: look at the role's own policy");
        }

        foreach (var resource in foreign.Where(MayTry))
        {
            var isRefused = await operation(NameIn(resource)!) == IotDecision.Refused;
            Add($"{what} {NameIn(resource)}", isRefused ? Outcome.Ok : Outcome.Failed, isRefused ? Refused : Reached(action, resource));
        }
    }

    // The other organization publishes, and receives its own messages as a control. Then this one publishes to itself: what arrives later has not been sent.
    private async Task ReceiveAsync(CancellationToken ended)
    {
        if (!_granted.Grants(IsolationNames.Receive) || !_granted.Grants(IsolationNames.Subscribe))
        {
            Add("receive", Outcome.Ok, "the policy does not grant it");
            return;
        }

        if (_other.ClientId is null || _names.TopicsOfOther() is not { Count: > 0 } topics)
        {
            Add("receive", Outcome.Failed, $"not tried: {_other.Session.Organization} may publish nothing that {_own.Session.Organization} could receive");
            return;
        }

        // The filters of earlier steps go with the connection.
        await _own.ReconnectAsync();
        var filters = await SubscribeWidelyAsync(_own, _granted);
        var theirFilters = await SubscribeWidelyAsync(_other, _grantedToOther);
        var own = _names.Own(IsolationNames.Publish, IsolationNames.Topic)
            .FirstOrDefault(topic => IsolationNames.IsForClients(topic) && Receives(_granted, filters, topic));
        if (own is null)
        {
            Add("receive", Outcome.Failed, "not tried: the policy grants no topic to publish to and receive, which is needed as a control");
            return;
        }

        foreach (var topic in topics)
        {
            if (await _other.PublishAsync(NameIn(topic)!, PayloadFor(topic)) == IotDecision.Refused
                || (Receives(_grantedToOther, theirFilters, topic) && !await _other.WaitForAsync(PayloadFor(topic))))
            {
                Add($"receive {NameIn(topic)}", Outcome.Failed, $"not proved: {_other.Session.Organization} cannot publish it, or does not receive it either");
                return;
            }
        }

        var last = $"{_mark}:last";
        if (await _own.PublishAsync(NameIn(own)!, last) == IotDecision.Refused || !await _own.WaitForAsync(last))
        {
            Add($"receive {NameIn(own)}", Outcome.Failed, "its own message did not arrive");
            return;
        }

        await Task.Delay(s_settle, ended);
        Add($"receive {NameIn(own)}", Outcome.Ok, "works");
        foreach (var topic in topics)
        {
            var arrived = _own.Received.Any(message => message.Payload == PayloadFor(topic));
            Add($"receive {NameIn(topic)}", arrived ? Outcome.Failed : Outcome.Ok,
                arrived ? Reached(IsolationNames.Receive, topic) : $"not received, published by {_other.Session.Organization}");
        }
    }

    // Every filter that the policy grants, as wide as it can be. Shared subscriptions would take messages from others, so they are left out.
    private async Task<IReadOnlyList<string>> SubscribeWidelyAsync(IotDataClient client, GrantedResources granted)
    {
        var filters = new List<string>();
        var patterns = granted.PatternsOf(IsolationNames.Subscribe, IsolationNames.Filter);
        foreach (var filter in patterns.Where(IsolationNames.IsForClients).Select(_names.Widest).Distinct())
        {
            if (await client.SubscribeAsync(NameIn(filter)!) == IotDecision.Done) filters.Add(NameIn(filter)!);
        }

        return filters;
    }

    private static bool Receives(GrantedResources granted, IReadOnlyList<string> filters, string topic) =>
        granted.Allows(IsolationNames.Receive, topic)
        && filters.Any(filter => MqttTopicFilterComparer.Compare(NameIn(topic)!, filter) == MqttTopicFilterCompareResult.IsMatch);

    private void Add(string check, Outcome outcome, string found) => _results.Add(new(check, outcome, found));

    // Either of the two resources can be the wrong one.
    private string Reached(string action, string resource) =>
        $"{_own.Session.Organization} reaches {_other.Session.Organization}: {action} on {resource} is allowed"
        + (_granted.GrantOf(action, resource) is { } grant ? $" by {grant}" : ", and not by the session policy: AWS ignored it")
        + (_grantedToOther.ResourceOf(resource) is { } theirs ? $"; {_other.Session.Organization} has it by {theirs}" : "");

    private string PayloadFor(string topic) => $"{_mark}:{topic}";

    private static string? ClientIn(IsolationNames names) => names.Own(IsolationNames.Connect, IsolationNames.Client) is [var first, ..] ? NameIn(first) : null;

    private static string? NameIn(string? resource) => resource?[(resource.IndexOf('/', StringComparison.Ordinal) + 1)..];

    private static string ShadowPath(string thing, out string query)
    {
        var parts = thing.Split('/', 2);
        query = parts is [_, var name] ? $"name={Uri.EscapeDataString(name)}" : "";
        return $"/things/{Uri.EscapeDataString(parts[0])}/shadow";
    }
}
