using System.Text.Json.Nodes;

namespace Sandbox.IotDataPlane;

/// <summary>The document of one shadow: desired and reported state, and when each value was set. A deleted one keeps its version, as AWS does.</summary>
internal sealed class Shadow
{
    private JsonObject _state = [];
    private JsonObject _metadata = [];

    public int Version { get; private set; }

    public bool Exists { get; private set; }

    /// <summary>The size of the state in characters.</summary>
    public int Length => _state.ToJsonString().Length;

    /// <summary>Merges an update; null removes a value. Returns the metadata of what was updated.</summary>
    public JsonObject Update(JsonObject state, long now)
    {
        Merge(_state, _metadata, state, now);
        Version++;
        Exists = true;
        return (JsonObject)Stamp(state, now)!;
    }

    public void Clear() => (_state, _metadata, Exists) = ([], [], false);

    /// <summary>State, metadata and version.</summary>
    public JsonObject Snapshot() => new() { ["state"] = _state.DeepClone(), ["metadata"] = _metadata.DeepClone(), ["version"] = Version };

    /// <summary>Takes back an update.</summary>
    public void Restore(JsonObject snapshot)
    {
        _state = (JsonObject)snapshot["state"]!.DeepClone();
        _metadata = (JsonObject)snapshot["metadata"]!.DeepClone();
        Version = snapshot["version"]!.GetValue<int>();
        Exists = _state.Count > 0;
    }

    /// <summary>What is desired but not reported; null when nothing is.</summary>
    public (JsonObject State, JsonObject Metadata)? Delta()
    {
        if (_state["desired"] is not JsonObject desired) return null;
        var metadata = new JsonObject();
        var state = Difference(desired, _state["reported"] as JsonObject ?? [], (JsonObject)_metadata["desired"]!, metadata);
        return state.Count > 0 ? (state, metadata) : null;
    }

    /// <summary>The response to get.</summary>
    public JsonObject Get(long now)
    {
        var document = Snapshot();
        if (Delta() is { } delta) document["state"]!["delta"] = delta.State;
        document["timestamp"] = now;
        return document;
    }

    private static void Merge(JsonObject state, JsonObject metadata, JsonObject update, long now)
    {
        foreach (var (name, value) in update)
        {
            if (value is null)
            {
                state.Remove(name);
                metadata.Remove(name);
            }
            else if (value is JsonObject part)
            {
                if (state[name] is not JsonObject) (state[name], metadata[name]) = (new JsonObject(), new JsonObject());
                Merge((JsonObject)state[name]!, (JsonObject)metadata[name]!, part, now);
            }
            else
            {
                state[name] = value.DeepClone();
                metadata[name] = Stamp(value, now);
            }
        }
    }

    private static JsonNode? Stamp(JsonNode? value, long now) => value switch
    {
        null => null,
        JsonObject part => new JsonObject(
            part.Where(static each => each.Value is not null).Select(each => KeyValuePair.Create(each.Key, Stamp(each.Value, now)))),
        JsonArray list => new JsonArray([.. list.Select(each => Stamp(each, now))]),
        _ => new JsonObject { ["timestamp"] = now },
    };

    private static JsonObject Difference(JsonObject desired, JsonObject reported, JsonObject metadata, JsonObject differenceMetadata)
    {
        var difference = new JsonObject();
        foreach (var (name, value) in desired)
        {
            if (JsonNode.DeepEquals(value, reported[name])) continue;
            if (value is JsonObject part && reported[name] is JsonObject other)
            {
                var partMetadata = new JsonObject();
                var inner = Difference(part, other, (JsonObject)metadata[name]!, partMetadata);
                if (inner.Count > 0) (difference[name], differenceMetadata[name]) = (inner, partMetadata);
                continue;
            }

            difference[name] = value?.DeepClone();
            differenceMetadata[name] = metadata[name]?.DeepClone();
        }

        return difference;
    }
}
