using System.Text.Json.Nodes;

namespace Gateway.Tests;

/// <summary>Changes of a gateway's configuration, by key path.</summary>
internal static class Settings
{
    /// <summary>Sets a key to what JSON text says, and makes the sections above it.</summary>
    public static JsonObject Set(this JsonObject settings, string path, string json)
    {
        var keys = path.Split(':');
        var section = settings;
        foreach (var key in keys[..^1])
        {
            if (section[key] is not JsonObject child) section[key] = child = [];
            section = child;
        }

        section[keys[^1]] = JsonNode.Parse(json);
        return settings;
    }

    /// <summary>Leaves Redis out: what is tested is decided before any cache.</summary>
    public static JsonObject WithoutRedis(this JsonObject settings)
    {
        settings.Remove("ConnectionStrings");
        settings.Remove("Sealing");
        return settings;
    }

    /// <summary>Adds a route to the downstream service.</summary>
    public static JsonObject Route(this JsonObject settings, string name, string path, string more = "{}")
    {
        var route = JsonNode.Parse(more)!.AsObject();
        route["ClusterId"] ??= "organizations";
        route["Match"] ??= new JsonObject();
        route["Match"]!["Path"] = path;
        return settings.Set($"ReverseProxy:Routes:{name}", route.ToJsonString());
    }
}
