using Gateway.Configuration.Rules.Clusters;
using Gateway.Configuration.Rules.Paths;
using Gateway.Networking;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Rules.Transforms;

/// <summary>
/// Checks that each transform is a complete YARP transform, and that the values that it writes are valid in HTTP. YARP validates most of this only
/// when a request arrives.
/// </summary>
internal static class TransformRules
{
    // The server sets the framing headers. If a transform changed them, no message would arrive complete.
    private static readonly HashSet<string> s_framing = new(StringComparer.OrdinalIgnoreCase) { "Content-Length", "Transfer-Encoding" };

    /// <summary>Checks every transform of every route.</summary>
    public static void Check(RuleContext context)
    {
        foreach (var route in context.Routes)
            for (var index = 0; index < route.Transforms?.Count; index++)
                Check(context, route, RouteKey.Of(route, $"Transforms:{index}"), route.Transforms[index]);
    }

    private static void Check(RuleContext context, RouteConfig route, string key, IReadOnlyDictionary<string, string> transform)
    {
        // If the item has an unknown key, nothing more can be checked.
        if (context.HasErrorAt(key)) return;
        if (TransformForm.Of(transform) is not var (name, form))
        {
            var named = transform.Keys.Where(TransformForm.All.ContainsKey).ToArray();
            context.Error(key, named.Length > 1
                ? $"holds {string.Join(" and ", named)}, and each item is one transform. Write an item for each."
                : $"holds {string.Join(", ", transform.Keys.DefaultIfEmpty("nothing"))}, and no key that says what to change. "
                    + "Write it beside, such as { \"RequestHeader\": \"x-range\", \"Set\": \"all\" }.");
            return;
        }

        var values = form.Values.Where(transform.ContainsKey).ToArray();
        if (form.Values.Length > 0 && values.Length != 1)
            context.Error(key,
                $"is a {name} with {(values.Length == 0 ? "none" : "both")} of {string.Join(" and ", form.Values)}. Write one of them beside it.");
        foreach (var other in transform.Keys.Where(other => !other.Equals(name, StringComparison.OrdinalIgnoreCase)))
            if (!form.Values.Concat(form.Options).Contains(other, StringComparer.OrdinalIgnoreCase))
                context.Error($"{key}:{other}", $"has no place beside {name}. Remove it{Beside(form)}.");

        CheckName(context, $"{key}:{name}", name, form.Name, transform[name]);
        if (transform.TryGetValue("HeaderPrefix", out var prefix) && !HttpToken.Is(prefix))
            context.Error(
                $"{key}:HeaderPrefix", $"is {Finding.Quote(prefix)}, which is not the beginning of the name of a header. Write such as \"X-Forwarded-\".");
        foreach (var value in values) CheckValue(context, route, $"{key}:{value}", name, transform[value]);
        if (name.Equals("RequestHeader", StringComparison.OrdinalIgnoreCase) && transform[name].Equals("Host", StringComparison.OrdinalIgnoreCase)
            && transform.TryGetValue("Set", out var host) && !DestinationAddress.IsHost(host))
            context.Error($"{key}:Set", $"is {Finding.Quote(host)}, which is not a host: the service would get two. "
                + "Write the name that it is called by, such as \"api.internal\" or \"api.internal:8443\".");
    }

    private static string Beside(TransformForm form) =>
        form.Values.Concat(form.Options).ToArray() is { Length: > 0 } names ? $"; there may be {string.Join(", ", names)}" : "";

    private static void CheckName(RuleContext context, string key, string name, TransformName form, string text)
    {
        if (form == TransformName.Header) CheckHeader(context, key, text);
        else if (form == TransformName.Headers)
            foreach (var header in text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)) CheckHeader(context, key, header);
        else if (form == TransformName.Method) CheckMethod(context, key, text, isSent: false);
        else if (form == TransformName.Text && text.Length == 0) context.Error(key, $"is empty. Write what {name} is for.");

        if (form == TransformName.Header
            && (name.StartsWith("RequestHeader", StringComparison.OrdinalIgnoreCase) || name.StartsWith("Response", StringComparison.OrdinalIgnoreCase))
            && !name.EndsWith("Remove", StringComparison.OrdinalIgnoreCase) && s_framing.Contains(text))
            context.Error(key, $"is {text}, which says how long a message is and is the server's alone: no message would arrive whole. Remove the transform.");
    }

    private static void CheckHeader(RuleContext context, string key, string text)
    {
        if (!HttpToken.Is(text))
            context.Error(key, $"is {Finding.Quote(text)}, which is not the name of a header: it is made of {HttpToken.Form}. Write such as \"X-Name\".");
    }

    private static void CheckMethod(RuleContext context, string key, string text, bool isSent)
    {
        if (!HttpToken.Is(text) || text.Equals("CONNECT", StringComparison.OrdinalIgnoreCase))
            context.Error(key, $"is {Finding.Quote(text)}, which is not a method that can be forwarded. Write such as \"PUT\".");
        else if (isSent && text.Equals("HEAD", StringComparison.OrdinalIgnoreCase))
            context.Error(key, "is HEAD, whose response has a length and no body: what the client asked with would never be complete. Write such as \"GET\".");
    }

    private static void CheckValue(RuleContext context, RouteConfig route, string key, string name, string value)
    {
        if (name.Equals("HttpMethodChange", StringComparison.OrdinalIgnoreCase)) CheckMethod(context, key, value, isSent: true);
        else if (name is "RequestHeaderRouteValue" or "QueryRouteParameter")
        {
            if (!RoutePath.Parameters(route).ContainsKey(value) && !RoutePath.IsBroken(route))
                context.Error(key,
                    $"is {Finding.Quote(value)}, and {RoutePath.Bound(route)}. Write the name of one of its parameters, or bind this one in Match:Path.");
        }
        else if (name.StartsWith("Re", StringComparison.OrdinalIgnoreCase)
            && Unsendable(value, isResponse: name.StartsWith("Response", StringComparison.OrdinalIgnoreCase)) is { } character)
        {
            context.Error(key,
                $"holds the character U+{(int)character:X4}, which a header's value cannot: every message would fail. "
                + "Write letters, digits and signs of ASCII, and percent-encode the rest.");
        }
    }

    // Returns the first character that cannot be sent: a control character other than tab, or, in a response, a non-ASCII character. Returns null
    // when there is none. Request headers are sent as UTF-8, response headers as ASCII.
    private static char? Unsendable(string value, bool isResponse)
    {
        foreach (var character in value)
            if ((char.IsControl(character) && character != '\t') || (isResponse && !char.IsAscii(character))) return character;
        return null;
    }
}
