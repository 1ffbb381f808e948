using System.Globalization;
using Gateway.Networking;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Rules.Routes;

/// <summary>Checks that a request can meet each route's conditions: the edge accepts it and HTTP can express it.</summary>
internal static class RouteConditionRules
{
    // In ASP.NET Core, each of these values stands for every host.
    private static readonly string[] s_anyHost = ["*", "[::]", "0.0.0.0"];

    /// <summary>Checks the conditions of every route.</summary>
    public static void Check(RuleContext context)
    {
        var allowed = context.Options.AllowedHosts?.Split(';', StringSplitOptions.RemoveEmptyEntries) ?? [];
        if (allowed.Intersect(s_anyHost).Any()) allowed = [];
        foreach (var route in context.Routes)
        {
            CheckMethods(context, route);
            if (allowed.Length > 0) CheckHosts(context, route, allowed);
            for (var index = 0; index < route.Match.Headers?.Count; index++)
                CheckHeader(context, RouteKey.Of(route, $"Match:Headers:{index}"), route.Match.Headers[index]);
            for (var index = 0; index < route.Match.QueryParameters?.Count; index++)
                CheckValues(context, RouteKey.Of(route, $"Match:QueryParameters:{index}"), route.Match.QueryParameters[index].Values);
        }
    }

    private static void CheckMethods(RuleContext context, RouteConfig route)
    {
        var methods = context.Options.Edge.Methods;
        for (var index = 0; index < route.Match.Methods?.Count; index++)
            if (HttpToken.Is(route.Match.Methods[index]) && !methods.Contains(route.Match.Methods[index], StringComparer.OrdinalIgnoreCase))
                context.Warning(RouteKey.Of(route, $"Match:Methods:{index}"),
                    $"is {route.Match.Methods[index]}, which Edge:Methods refuses: no request with it reaches the route. "
                    + "Add it to Edge:Methods, or remove it here.");
    }

    private static void CheckHosts(RuleContext context, RouteConfig route, string[] allowed)
    {
        for (var index = 0; index < route.Match.Hosts?.Count; index++)
            if (!Array.Exists(allowed, other => Overlap(route.Match.Hosts[index].Split(':')[0], other)))
                context.Warning(RouteKey.Of(route, $"Match:Hosts:{index}"),
                    $"is {Finding.Quote(route.Match.Hosts[index])}, which AllowedHosts refuses: no request for it reaches the route. "
                    + "Add it to AllowedHosts, or remove it here.");
    }

    private static bool Overlap(string one, string other)
    {
        if (one == "*") return true;
        var (first, second) = (Ascii(one), Ascii(other));
        return (first.StartsWith('*'), second.StartsWith('*')) switch
        {
            (true, true) =>
                first[1..].EndsWith(second[1..], StringComparison.OrdinalIgnoreCase) || second[1..].EndsWith(first[1..], StringComparison.OrdinalIgnoreCase),
            (true, false) => second.EndsWith(first[1..], StringComparison.OrdinalIgnoreCase),
            (false, true) => first.EndsWith(second[1..], StringComparison.OrdinalIgnoreCase),
            _ => first.Equals(second, StringComparison.OrdinalIgnoreCase),
        };
    }

    // ASP.NET Core compares routes' hosts in Unicode, and allowed hosts in the ASCII form that is sent.
    private static string Ascii(string host)
    {
        try
        {
            return host.StartsWith("*.", StringComparison.Ordinal) ? "*." + new IdnMapping().GetAscii(host[2..]) : new IdnMapping().GetAscii(host);
        }
        catch (ArgumentException)
        {
            return host;
        }
    }

    private static void CheckHeader(RuleContext context, string key, RouteHeader header)
    {
        if (!string.IsNullOrEmpty(header.Name) && !HttpToken.Is(header.Name))
            context.Error($"{key}:Name",
                $"is {Finding.Quote(header.Name)}, which is not the name of a header: it is made of {HttpToken.Form}. Write such as \"X-Version\".");
        CheckValues(context, key, header.Values);
        for (var index = 0; index < header.Values?.Count; index++)
        {
            var value = header.Values[index] ?? "";
            var (isWhole, isPrefix) = (header.Mode == HeaderMatchMode.ExactHeader, header.Mode == HeaderMatchMode.HeaderPrefix);
            if ((value.StartsWith(' ') && (isWhole || isPrefix)) || (value.EndsWith(' ') && isWhole))
                context.Warning($"{key}:Values:{index}",
                    $"is {Finding.Quote(value)}, with a blank at an end, which a header's value never has: no request is matched. Remove it.");
        }
    }

    private static void CheckValues(RuleContext context, string key, IReadOnlyList<string>? values)
    {
        for (var index = 0; index < values?.Count; index++)
            if (string.IsNullOrEmpty(values[index]))
                context.Error($"{key}:Values:{index}", "is empty, and nothing is compared with it. Write a value, or \"Mode\": \"NotExists\" without Values.");
    }
}
