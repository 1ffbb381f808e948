using System.Text.Json;
using System.Text.Json.Nodes;

namespace Sandbox.IotDataPlane;

/// <summary>
/// The Device Shadow service of one account and region, as far as clients need it: get, update and delete of classic and named shadows, with versions and the
/// messages that follow (accepted, rejected, delta, documents).
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="publish">Publishes a message to clients.</param>
internal sealed class ShadowService(TimeProvider time, Func<string, ReadOnlyMemory<byte>, Task> publish) : IDisposable
{
    // AWS's limits.
    private const int MaxDocument = 8 * 1024;
    private const int MaxDepth = 8;
    private const int MaxClientToken = 64;

    // The emulator's own.
    private const int MaxShadows = 1000;

    private static readonly JsonDocumentOptions s_reading = new() { MaxDepth = MaxDepth, AllowDuplicateProperties = false };

    // Also keeps the messages of a shadow in the order of its versions.
    private readonly SemaphoreSlim _lock = new(1);
    private readonly Dictionary<(string Thing, string? Name), Shadow> _shadows = [];

    /// <summary>Handles a request, publishes the messages that follow, and returns the response.</summary>
    public async Task<(int Status, JsonObject Response)> HandleAsync(ShadowTopic request, byte[] payload)
    {
        await _lock.WaitAsync();
        try
        {
            var messages = new List<(string Topic, JsonObject Payload)>();
            JsonNode? clientToken = null;
            JsonObject response;
            var status = StatusCodes.Status200OK;
            try
            {
                var document = Read(payload, isRequired: request.Operation == "update");
                clientToken = ClientToken(document);
                response = request.Operation switch
                {
                    "get" => Find(request).Get(Now),
                    "delete" => Delete(request),
                    _ => Update(request, document!, messages),
                };
                messages.Insert(0, ($"{request.Operation}/accepted", response));
            }
            catch (ShadowException refusal)
            {
                status = refusal.Status;
                response = new JsonObject { ["code"] = refusal.Status, ["message"] = refusal.Message, ["timestamp"] = Now };
                messages = [($"{request.Operation}/rejected", response)];
            }

            foreach (var (topic, message) in messages)
            {
                if (clientToken is not null) message["clientToken"] = clientToken.DeepClone();
                await publish($"{request.Prefix}/{topic}", JsonSerializer.SerializeToUtf8Bytes(message));
            }

            return (status, response);
        }
        finally
        {
            _lock.Release();
        }
    }

    /// <summary>The names of a thing's named shadows.</summary>
    public async Task<IReadOnlyList<string>> NamesAsync(string thing)
    {
        await _lock.WaitAsync();
        try
        {
            return [.. _shadows.Where(each => each.Key.Thing == thing && each.Value.Exists).Select(static each => each.Key.Name).OfType<string>().Order()];
        }
        finally
        {
            _lock.Release();
        }
    }

    public void Dispose() => _lock.Dispose();

    private long Now => time.GetUtcNow().ToUnixTimeSeconds();

    private Shadow Find(ShadowTopic request) =>
        _shadows.TryGetValue((request.Thing, request.Name), out var shadow) && shadow.Exists
            ? shadow
            : throw new ShadowException(StatusCodes.Status404NotFound, $"No shadow exists with name: '{request.Name ?? request.Thing}'");

    private JsonObject Delete(ShadowTopic request)
    {
        var shadow = Find(request);
        shadow.Clear();
        return new JsonObject { ["version"] = shadow.Version, ["timestamp"] = Now };
    }

    private JsonObject Update(ShadowTopic request, JsonObject document, List<(string Topic, JsonObject Payload)> messages)
    {
        if (!document.ContainsKey("state")) throw Invalid("Missing required node: state");
        if (document["state"] is not JsonObject state) throw Invalid("State node must be an object");
        foreach (var (section, value) in state)
        {
            if (section is not ("desired" or "reported")) throw Invalid($"State contains an invalid node: '{section}'");
            if (value is not (null or JsonObject)) throw Invalid($"{section} must be an object");
        }

        var key = (request.Thing, request.Name);
        if (!_shadows.TryGetValue(key, out var shadow))
        {
            if (_shadows.Count >= MaxShadows) throw new ShadowException(StatusCodes.Status429TooManyRequests, "Too many shadows");
            shadow = new Shadow();
        }

        if (document["version"] is { } version)
        {
            if (version is not JsonValue value || !value.TryGetValue<long>(out var number)) throw Invalid("Version must be a number");
            if (number != shadow.Version) throw new ShadowException(StatusCodes.Status409Conflict, "Version conflict");
        }

        var previous = shadow.Snapshot();
        var metadata = shadow.Update(state, Now);
        if (shadow.Length > MaxDocument)
        {
            shadow.Restore(previous);
            throw TooLarge();
        }

        _shadows[key] = shadow;
        if (shadow.Delta() is { } delta)
        {
            messages.Add(("update/delta", new JsonObject
            {
                ["version"] = shadow.Version,
                ["timestamp"] = Now,
                ["state"] = delta.State,
                ["metadata"] = delta.Metadata,
            }));
        }

        messages.Add(("update/documents", new JsonObject { ["previous"] = previous, ["current"] = shadow.Snapshot(), ["timestamp"] = Now }));
        return new JsonObject
        {
            ["state"] = state.DeepClone(),
            ["metadata"] = metadata,
            ["version"] = shadow.Version,
            ["timestamp"] = Now,
        };
    }

    private static JsonObject? Read(byte[] payload, bool isRequired)
    {
        if (payload.Length > MaxDocument) throw TooLarge();
        if (payload.Length == 0 && !isRequired) return null;
        try
        {
            return JsonNode.Parse(payload, documentOptions: s_reading) as JsonObject ?? throw Invalid("Payload contains invalid json");
        }
        catch (JsonException)
        {
            throw Invalid("Payload contains invalid json");
        }
    }

    private static JsonNode? ClientToken(JsonObject? document)
    {
        if (document?["clientToken"] is not { } token) return null;
        if (token.GetValueKind() != JsonValueKind.String || token.GetValue<string>().Length > MaxClientToken) throw Invalid("Invalid clientToken");
        return token;
    }

    private static ShadowException Invalid(string message) => new(StatusCodes.Status400BadRequest, message);

    private static ShadowException TooLarge() => new(StatusCodes.Status413PayloadTooLarge, "The payload exceeds the maximum size allowed");

    private sealed class ShadowException(int status, string message) : Exception(message)
    {
        public int Status => status;
    }
}
