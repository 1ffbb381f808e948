using System.Collections.Immutable;
using IotCredentials.Http;
using Microsoft.AspNetCore.Routing.Patterns;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Rules.Paths;

/// <summary>
/// One form of the paths that a route matches, and the path that a service receives for it. A parameter stands for any text. Constraints are ignored,
/// so a form can include more paths than the route matches, but never fewer. <see cref="ConstrainedSegments"/> applies the constraints to the paths
/// in question.
/// </summary>
internal sealed record RoutedPath
{
    /// <summary>The request's segments.</summary>
    public required ImmutableList<SegmentText> Request { get; init; }

    /// <summary>Whether any number of further segments may follow in the request.</summary>
    public bool RequestHasRest { get; init; }

    /// <summary>The segments that the service receives.</summary>
    public required ImmutableList<SentSegment> Sent { get; init; }

    /// <summary>Whether the service receives the rest of the request after <see cref="Sent"/>.</summary>
    public bool SentHasRest { get; init; }

    // The values of the path's parameters in this form, by name. An omitted parameter has no entry.
    private ImmutableDictionary<string, Value> Values { get; init; } = ImmutableDictionary.Create<string, Value>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Returns the forms of a route's requests, as they arrive at the gateway.</summary>
    public static IEnumerable<RoutedPath> RequestsOf(RouteConfig route, OrganizationIdFormat? ids)
    {
        var segments = RoutePath.Parse(route)?.PathSegments ?? [];
        var whole = new RoutedPath { Request = [], Sent = [], RequestHasRest = RoutePath.Parse(route) is null, SentHasRest = RoutePath.Parse(route) is null };
        var forms = new List<RoutedPath>();
        for (var index = 0; index <= segments.Count; index++)
        {
            if (segments.Skip(index).All(CanBeLeftOut)) forms.Add(whole with { Values = segments.Skip(index).Aggregate(whole.Values, AddDefault) });
            if (index < segments.Count) whole = whole.With(segments[index], ids);
        }

        return forms;
    }

    /// <summary>Returns the forms of the paths that a service receives, including the destination's own path.</summary>
    public static IEnumerable<RoutedPath> SentBy(RouteConfig route, string destinationPath, OrganizationIdFormat? ids)
    {
        var forms = RequestsOf(route, ids);
        foreach (var transform in route.Transforms ?? [])
        {
            if (transform.TryGetValue("PathSet", out var set)) forms = forms.Select(form => form with { Sent = TextsOf(set), SentHasRest = false });
            else if (transform.TryGetValue("PathPrefix", out var prefix))
                forms = forms.Select(form => form with { Sent = TextsOf(prefix).AddRange(form.Sent) });
            else if (transform.TryGetValue("PathRemovePrefix", out var removed)) forms = forms.SelectMany(form => form.WithoutPrefix(removed));
            else if (transform.TryGetValue("PathPattern", out var pattern)) forms = forms.SelectMany(form => form.Bind(pattern));
        }

        return forms.Select(form => form with { Sent = WithoutDots(TextsOf(destinationPath).AddRange(form.Sent)) });
    }

    private RoutedPath With(RoutePatternPathSegment segment, OrganizationIdFormat? ids)
    {
        if (segment is { IsSimple: true, Parts: [RoutePatternParameterPart parameter] })
        {
            // A catch-all organization parameter must hold a single id, or the request is rejected.
            var isOrganization = IsOrganization(parameter);
            if (parameter.IsCatchAll && !isOrganization)
                return this with { RequestHasRest = true, SentHasRest = true, Values = Values.SetItem(parameter.Name, Value.Rest) };
            return Add(AnyOf(isOrganization, ids)) with { Values = Values.SetItem(parameter.Name, new(Request.Count, null)) };
        }

        var parts = segment.Parts.OfType<RoutePatternParameterPart>()
            .ToDictionary(part => part.Name, part => new Value(-1, null, AnyOf(IsOrganization(part), ids)));
        return Add(TextOf(segment, ids)) with { Values = Values.SetItems(parts) };
    }

    private RoutedPath Add(SegmentText text) => this with { Request = Request.Add(text), Sent = Sent.Add(new(text, Request.Count)) };

    // This follows PathString.StartsWithSegments: a prefix that ends in a slash matches only if another slash follows, or if it is the whole path.
    private IEnumerable<RoutedPath> WithoutPrefix(string prefix)
    {
        var form = this;
        var isCertain = !prefix.EndsWith('/');
        var texts = TextsOf(prefix);
        for (var index = 0; index < texts.Count; index++)
        {
            if (index >= Sent.Count)
            {
                if (!SentHasRest) return [this];
                isCertain = false;
                form = form with { Request = form.Request.Add(texts[index].Text) };
                continue;
            }

            if (!Sent[index].Text.Meets(texts[index].Text)) return [this];
            isCertain &= Sent[index].Text.IsWhole;
            form = form.Narrow(Sent[index].Source, texts[index].Text);
        }

        form = form with { Sent = form.Sent.RemoveRange(0, Math.Min(texts.Count, Sent.Count)) };
        return isCertain ? [form] : [form, this];
    }

    private RoutedPath Narrow(int source, SegmentText text) => source < 0 || Request[source].IsWhole ? this : this with
    {
        Request = Request.SetItem(source, text),
        Sent = [.. Sent.Select(segment => segment.Source == source ? segment with { Text = text } : segment)],
    };

    private List<RoutedPath> Bind(string template)
    {
        // YARP and the transform rules reject a template that is not a pattern.
        if (RoutePath.Parse(template.StartsWith('/') ? template : "/" + template) is not { } pattern) return [this];

        // If the rest of a path is bound to a single segment, it is sent as one segment with escaped slashes.
        var single = pattern.Parameters.FirstOrDefault(parameter => !parameter.IsCatchAll && Values.GetValueOrDefault(parameter.Name) == Value.Rest);
        if (single is not null)
        {
            var form = this with { RequestHasRest = false, SentHasRest = false };
            return
            [
                .. (form with { Values = Values.Remove(single.Name) }).Bind(template),
                .. (form with { Request = Request.Add(SegmentText.Any), Values = Values.SetItem(single.Name, new(Request.Count, null)) }).Bind(template),
            ];
        }

        var forms = new List<RoutedPath> { this with { Sent = [], SentHasRest = false } };
        foreach (var segment in pattern.PathSegments) forms = [.. forms.SelectMany(form => form.Bound(segment))];
        // If a required parameter has no value, YARP sends no path at all.
        if (pattern.Parameters.Any(parameter => parameter is { IsOptional: false, IsCatchAll: false, Default: null } && !Values.ContainsKey(parameter.Name)))
            forms.Add(this with { Sent = [], SentHasRest = false });
        return forms;
    }

    private IEnumerable<RoutedPath> Bound(RoutePatternPathSegment segment)
    {
        if (segment is not { IsSimple: true, Parts: [RoutePatternParameterPart parameter] })
            return [this with { Sent = Sent.Add(new(TextOf(segment, IdsOf(segment)), -1)) }];
        var value = Values.GetValueOrDefault(parameter.Name);
        if (value == Value.Rest) return [this with { SentHasRest = true }];
        var bound = (value, parameter.Default) switch
        {
            ({ Part: { } part }, _) => this with { Sent = Sent.Add(new(part, -1)) },
            ({ Source: >= 0 } given, _) => this with { Sent = Sent.Add(new(Request[given.Source], given.Source)) },
            ({ Text: { } text }, _) => this with { Sent = Sent.AddRange(TextsOf(text)) },
            (_, { } text) => this with { Sent = Sent.AddRange(TextsOf($"{text}")) },
            _ => this,
        };
        // A value that equals the template's default is omitted at the end.
        return parameter.Default is null ? [bound] : [bound, this];
    }

    private static SegmentText TextOf(RoutePatternPathSegment segment, OrganizationIdFormat? ids)
    {
        if (segment is { IsSimple: true, Parts: [RoutePatternLiteralPart whole] }) return SegmentText.Whole(whole.Content);
        var parameters = segment.Parts.OfType<RoutePatternParameterPart>().ToArray();
        return new()
        {
            Start = string.Concat(segment.Parts.TakeWhile(part => part is RoutePatternLiteralPart).Select(part => ((RoutePatternLiteralPart)part).Content)),
            End = string.Concat(
                segment.Parts.Reverse().TakeWhile(part => part is RoutePatternLiteralPart).Select(part => ((RoutePatternLiteralPart)part).Content).Reverse()),
            Ids = parameters.Length == 1 && IsOrganization(parameters[0]) ? ids : null,
            NamesOrganization = parameters.Any(IsOrganization),
        };
    }

    private static SegmentText AnyOf(bool isOrganization, OrganizationIdFormat? ids) =>
        isOrganization ? SegmentText.Any with { Ids = ids, NamesOrganization = true } : SegmentText.Any;

    private static bool IsOrganization(RoutePatternParameterPart parameter) =>
        parameter.Name.Equals(RouteOrganization.Parameter, StringComparison.OrdinalIgnoreCase);

    // The organization in a transform's pattern has the same id format as in the request.
    private OrganizationIdFormat? IdsOf(RoutePatternPathSegment segment) =>
        segment.Parts.OfType<RoutePatternParameterPart>().Any(IsOrganization)
            ? Request.Concat(Sent.Select(sent => sent.Text)).FirstOrDefault(text => text.Ids is not null)?.Ids
            : null;

    private static bool CanBeLeftOut(RoutePatternPathSegment segment) =>
        segment is { IsSimple: true, Parts: [RoutePatternParameterPart parameter] }
            && (parameter.IsOptional || parameter.IsCatchAll || parameter.Default is not null);

    private static ImmutableDictionary<string, Value> AddDefault(ImmutableDictionary<string, Value> values, RoutePatternPathSegment segment) =>
        segment.Parts is [RoutePatternParameterPart { Default: { } text } parameter] ? values.SetItem(parameter.Name, new(-1, $"{text}")) : values;

    private static ImmutableList<SentSegment> TextsOf(string path) =>
        [.. path.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(text => new SentSegment(SegmentText.Whole(text), -1))];

    // Resolves dot segments as the HTTP client does.
    private static ImmutableList<SentSegment> WithoutDots(ImmutableList<SentSegment> segments)
    {
        var resolved = ImmutableList<SentSegment>.Empty;
        foreach (var segment in segments)
            resolved = segment.Text is { IsWhole: true, Start: "." } ? resolved
                : segment.Text is not { IsWhole: true, Start: ".." } ? resolved.Add(segment)
                : resolved.Count > 0 ? resolved.RemoveAt(resolved.Count - 1)
                : resolved;
        return resolved;
    }

    // The value of a parameter: a segment of the request, part of a segment, a default, or the rest of the request.
    private sealed record Value(int Source, string? Text, SegmentText? Part = null)
    {
        public static Value Rest { get; } = new(-1, null);
    }
}

/// <summary>A segment of the path that a service receives.</summary>
/// <param name="Text">The texts that it can have.</param>
/// <param name="Source">The index of the request's segment that it repeats, or -1 for none.</param>
internal sealed record SentSegment(SegmentText Text, int Source);
