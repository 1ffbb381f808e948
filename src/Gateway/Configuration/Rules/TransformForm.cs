namespace Gateway.Configuration.Rules;

/// <summary>One of YARP's transforms: the key that names it, and the keys that stand beside it.</summary>
/// <param name="Values">Keys of which exactly one is required; empty when the name alone says all.</param>
/// <param name="Options">Keys that may be left out.</param>
/// <param name="Name">The form of what stands behind the key that names it.</param>
internal sealed record TransformForm(string[] Values, string[] Options, TransformName Name)
{
    private static readonly string[] s_setOrAppend = ["Set", "Append"];

    /// <summary>All that there are, by the key that names each.</summary>
    public static IReadOnlyDictionary<string, TransformForm> All { get; } = new Dictionary<string, TransformForm>(StringComparer.OrdinalIgnoreCase)
    {
        ["PathPrefix"] = new([], [], TransformName.Path),
        ["PathRemovePrefix"] = new([], [], TransformName.Path),
        ["PathSet"] = new([], [], TransformName.Path),
        ["PathPattern"] = new([], [], TransformName.Pattern),
        ["QueryValueParameter"] = new(s_setOrAppend, [], TransformName.Text),
        ["QueryRouteParameter"] = new(s_setOrAppend, [], TransformName.Text),
        ["QueryRemoveParameter"] = new([], [], TransformName.Text),
        ["HttpMethodChange"] = new(["Set"], [], TransformName.Method),
        ["RequestHeadersCopy"] = new([], [], TransformName.Boolean),
        ["RequestHeaderOriginalHost"] = new([], [], TransformName.Boolean),
        ["RequestHeader"] = new(s_setOrAppend, [], TransformName.Header),
        ["RequestHeaderRouteValue"] = new(s_setOrAppend, [], TransformName.Header),
        ["RequestHeaderRemove"] = new([], [], TransformName.Header),
        ["RequestHeadersAllowed"] = new([], [], TransformName.Headers),
        ["ResponseHeadersCopy"] = new([], [], TransformName.Boolean),
        ["ResponseHeader"] = new(s_setOrAppend, ["When"], TransformName.Header),
        ["ResponseHeaderRemove"] = new([], ["When"], TransformName.Header),
        ["ResponseHeadersAllowed"] = new([], [], TransformName.Headers),
        ["ResponseTrailersCopy"] = new([], [], TransformName.Boolean),
        ["ResponseTrailer"] = new(s_setOrAppend, ["When"], TransformName.Header),
        ["ResponseTrailerRemove"] = new([], ["When"], TransformName.Header),
        ["ResponseTrailersAllowed"] = new([], [], TransformName.Headers),
        ["X-Forwarded"] = new([], ["HeaderPrefix", "For", "Host", "Proto", "Prefix"], TransformName.Action),
        ["Forwarded"] = new([], ["Action", "ForFormat", "ByFormat"], TransformName.Text),
        ["ClientCert"] = new([], [], TransformName.Header),
    };

    /// <summary>The transform that an item of a route's list names; null when it names none, or two.</summary>
    public static (string Key, TransformForm Form)? Of(IReadOnlyDictionary<string, string> transform) =>
        transform.Keys.Where(All.ContainsKey).ToArray() is [var key] ? (key, All[key]) : null;
}

/// <summary>The form of what stands behind the key that names a transform.</summary>
internal enum TransformName
{
    /// <summary>Any text.</summary>
    Text,

    /// <summary>True or false.</summary>
    Boolean,

    /// <summary>What becomes of the <c>X-Forwarded</c> headers.</summary>
    Action,

    /// <summary>An HTTP method.</summary>
    Method,

    /// <summary>A header's name.</summary>
    Header,

    /// <summary>Headers' names with <c>;</c> between them.</summary>
    Headers,

    /// <summary>A path.</summary>
    Path,

    /// <summary>A path with the route's parameters in it.</summary>
    Pattern,
}
