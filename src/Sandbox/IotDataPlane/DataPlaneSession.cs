namespace Sandbox.IotDataPlane;

/// <summary>What a role session may do on the data plane, in its account and region: every question that the endpoint asks of its policies.</summary>
internal sealed class DataPlaneSession(AwsSession session, string sourceIp)
{
    private readonly IamPolicy[] _policies = [.. session.Policies.Select(IamPolicy.Parse)];
    private readonly string _arn = $"arn:{session.Credentials.Arn.Split(':')[1]}:iot:{session.Region}:{session.Credentials.Account}:";

    public DateTimeOffset Expiration => session.Credentials.Expiration!.Value;

    public bool MayConnect(string clientId) => Allows("iot:Connect", $"client/{clientId}", clientId);

    public bool MayPublish(string? clientId, string topic) => Allows("iot:Publish", $"topic/{topic}", clientId);

    /// <summary>Whether a message may be published to be retained, which needs both permissions.</summary>
    public bool MayRetain(string? clientId, string topic) => MayPublish(clientId, topic) && Allows("iot:RetainPublish", $"topic/{topic}", clientId);

    public bool MayReceive(string? clientId, string topic) => Allows("iot:Receive", $"topic/{topic}", clientId);

    /// <summary>
    /// Whether a message may be received through a shared subscription. AWS's examples allow its topic as it is, or behind <c>$share</c> and the group; either
    /// is enough here.
    /// </summary>
    public bool MayReceive(string? clientId, string group, string topic) => MayReceive(clientId, topic) || MayReceive(clientId, $"$share/{group}/{topic}");

    /// <summary>Whether a filter may be subscribed to. That of a shared subscription is judged as it is written, with <c>$share</c> and the group.</summary>
    public bool MaySubscribe(string? clientId, string filter) => Allows("iot:Subscribe", $"topicfilter/{filter}", clientId);

    public bool MayGetRetained(string topic) => Allows("iot:GetRetainedMessage", $"topic/{topic}", clientId: null);

    /// <param name="action">Such as <c>iot:GetThingShadow</c>.</param>
    /// <param name="thing">The thing; a named shadow follows it after a slash.</param>
    public bool MayUseThing(string action, string thing) => Allows(action, $"thing/{thing}", clientId: null);

    private bool Allows(string action, string resource, string? clientId)
    {
        var context = new IamContext(clientId, sourceIp, session.Tags);
        return Array.TrueForAll(_policies, policy => policy.Allows(action, _arn + resource, context));
    }
}
