namespace Gateway.Configuration.Rules.Transforms;

/// <summary>The form of one of YARP's transforms: the key that names it, and the keys that may stand beside it.</summary>
/// <param name="Values">The keys of which exactly one is required. Empty when the transform needs no other key.</param>
/// <param name="Options">The optional keys.</param>
/// <param name="Name">The form of the value of the key that names the transform.</param>
internal sealed record TransformForm(string[] Values, string[] Options, TransformName Name)
{
    private static readonly string[] s_setOrAppend = ["Set", "Append"];

    /// <summary>All of YARP's transforms, by the key that names each.</summary>
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

    /// <summary>Returns the transform that an item of a route's list names, or null when it names none or more than one.</summary>
    public static (string Key, TransformForm Form)? Of(IReadOnlyDictionary<string, string> transform) =>
        transform.Keys.Where(All.ContainsKey).ToArray() is [var key] ? (key, All[key]) : null;
}

/// <summary>The form of the value of the key that names a transform.</summary>
internal enum TransformName
{
    /// <summary>Any text.</summary>
    Text,

    /// <summary>True or false.</summary>
    Boolean,

    /// <summary>The action on the <c>X-Forwarded</c> headers.</summary>
    Action,

    /// <summary>An HTTP method.</summary>
    Method,

    /// <summary>A header's name.</summary>
    Header,

    /// <summary>Header names, separated by <c>;</c>.</summary>
    Headers,

    /// <summary>A path.</summary>
    Path,

    /// <summary>A path that contains the route's parameters.</summary>
    Pattern,
}
