using System.Buffers;
using System.Text.Json.Nodes;
using MQTTnet.Protocol;

namespace Sandbox.IotDataPlane;

/// <summary>The HTTP API of the data plane, for one signed request: publish, shadows, retained messages.</summary>
internal sealed class HttpDataPlane(HttpContext context, DataPlaneSession session, MqttBroker broker, byte[] body)
{
    /// <param name="path">The path as sent.</param>
    public Task RespondAsync(string path)
    {
        const string topics = "/topics/";
        const string retained = "/retainedMessage/";
        var method = context.Request.Method;
        if (method == "POST" && path.StartsWith(topics, StringComparison.Ordinal)) return PublishAsync(Decoded(path[topics.Length..]));
        if (method == "GET" && path.StartsWith(retained, StringComparison.Ordinal)) return GetRetainedAsync(Decoded(path[retained.Length..]));
        return path.Split('/') switch
        {
            ["", "things", var thing, "shadow"] when method is "GET" or "POST" or "DELETE" => ShadowAsync(Decoded(thing), method),
            ["", "api", "things", "shadow", "ListNamedShadowsForThing", var thing] when method == "GET" => ListShadowsAsync(Decoded(thing)),
            _ => ErrorAsync(StatusCodes.Status404NotFound, "ResourceNotFoundException", $"{method} {path} is no operation of this emulator."),
        };
    }

    private async Task PublishAsync(string topic)
    {
        var query = context.Request.Query;
        var retain = query["retain"] == "true";
        if (!MqttTopics.IsTopic(topic) || (query.ContainsKey("qos") && query["qos"].ToString() is not ("0" or "1")))
        {
            await InvalidAsync("The topic or the quality of service is invalid.");
            return;
        }

        if (!(retain ? session.MayRetain(null, topic) : session.MayPublish(null, topic)))
        {
            await ForbiddenAsync();
            return;
        }

        if (retain && !await broker.CanRetainAsync(topic))
        {
            await ErrorAsync(StatusCodes.Status429TooManyRequests, "ThrottlingException", "Too many retained messages.");
            return;
        }

        if (!await broker.PublishAsClientAsync(
                topic, body, query["qos"] == "1" ? MqttQualityOfServiceLevel.AtLeastOnce : MqttQualityOfServiceLevel.AtMostOnce, retain))
        {
            await InvalidAsync($"{topic} is reserved.");
            return;
        }

        await IotDataEndpoint.WriteAsync(
            context, StatusCodes.Status200OK, new JsonObject { ["message"] = "OK", ["traceId"] = Guid.NewGuid().ToString() });
    }

    private async Task GetRetainedAsync(string topic)
    {
        if (!session.MayGetRetained(topic))
        {
            await ForbiddenAsync();
        }
        else if (await broker.GetRetainedAsync(topic) is not { } message)
        {
            await ErrorAsync(StatusCodes.Status404NotFound, "ResourceNotFoundException", $"No retained message on {topic}.");
        }
        else
        {
            await IotDataEndpoint.WriteAsync(context, StatusCodes.Status200OK, new JsonObject
            {
                ["topic"] = topic,
                ["payload"] = Convert.ToBase64String(message.Payload.ToArray()),
                ["qos"] = (int)message.QualityOfServiceLevel,
            });
        }
    }

    private async Task ShadowAsync(string thing, string method)
    {
        var name = context.Request.Query.TryGetValue("name", out var value) ? value.ToString() : null;
        var (action, operation) = method switch
        {
            "GET" => ("iot:GetThingShadow", "get"),
            "POST" => ("iot:UpdateThingShadow", "update"),
            _ => ("iot:DeleteThingShadow", "delete"),
        };
        var request = new ShadowTopic(thing, name, operation);
        if (!request.IsValid)
        {
            await InvalidAsync("The name of the thing or of the shadow is invalid.");
            return;
        }

        if (!session.MayUseThing(action, name is null ? thing : $"{thing}/{name}"))
        {
            await ForbiddenAsync();
            return;
        }

        var (status, response) = await broker.Shadows.HandleAsync(request, body);
        await IotDataEndpoint.WriteAsync(context, status, response);
    }

    private async Task ListShadowsAsync(string thing)
    {
        if (session.MayUseThing("iot:ListNamedShadowsForThing", thing))
        {
            var names = await broker.Shadows.NamesAsync(thing);
            await IotDataEndpoint.WriteAsync(
                context, StatusCodes.Status200OK, new JsonObject { ["results"] = new JsonArray([.. names.Select(static name => JsonValue.Create(name))]) });
        }
        else
        {
            await ForbiddenAsync();
        }
    }

    private Task InvalidAsync(string message) => ErrorAsync(StatusCodes.Status400BadRequest, "InvalidRequestException", message);

    private Task ForbiddenAsync() => ErrorAsync(StatusCodes.Status403Forbidden, "ForbiddenException", "Forbidden");

    private Task ErrorAsync(int status, string error, string message) => IotDataEndpoint.WriteAsync(context, status, error, message);

    private static string Decoded(string text) => Uri.UnescapeDataString(text);
}
