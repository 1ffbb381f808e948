using System.Diagnostics;

namespace Gateway.Forwarding.Headers;

/// <summary>Sends <c>traceparent</c> and <c>tracestate</c> on, but no baggage: the gateway cannot vouch for a client's content in it.</summary>
internal sealed class TraceContextPropagator : DistributedContextPropagator
{
    private static readonly DistributedContextPropagator s_w3c = CreateW3CPropagator();

    public override IReadOnlyCollection<string> Fields => ["traceparent", "tracestate"];

    public override void Inject(Activity? activity, object? carrier, PropagatorSetterCallback? setter) =>
        s_w3c.Inject(activity, carrier, setter is null ? null : (target, name, value) =>
        {
            if (Fields.Contains(name)) setter(target, name, value);
        });

    public override void ExtractTraceIdAndState(object? carrier, PropagatorGetterCallback? getter, out string? traceId, out string? traceState) =>
        s_w3c.ExtractTraceIdAndState(carrier, getter, out traceId, out traceState);

    public override IEnumerable<KeyValuePair<string, string?>>? ExtractBaggage(object? carrier, PropagatorGetterCallback? getter) => null;
}
