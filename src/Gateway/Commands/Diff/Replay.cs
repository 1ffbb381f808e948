using Gateway.Authentication;
using Gateway.Configuration;
using Gateway.Configuration.Rules.Identity;
using Gateway.Configuration.Tree;
using Gateway.Differences;
using Gateway.Networking;
using Gateway.Telemetry;
using IotCredentials.Http;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Commands.Diff;

/// <summary>
/// Tries logged requests with two configurations. A line tells what the old configuration decided; the new one decides the same by whatever is the same in
/// both. A difference is decided again if the line tells enough; otherwise the outcome is unknown.
/// </summary>
internal sealed class Replay(ReplayTable before, ReplayTable after) : IDisposable
{
    private const int MostKept = 10_000;

    // The order in which the gateway checks a policy's requirements. It logs the first that is not met.
    private static readonly string[] s_requirements = [ErrorReason.Organization, GatewayReason.Scopes, GatewayReason.Roles, GatewayReason.Schemes];

    // The members of a route that decide whether it lets a request in.
    private static readonly string[] s_deciding =
    [
        EffectiveConfiguration.Access, EffectiveConfiguration.Limit, nameof(RouteConfig.CorsPolicy), "CorsDisabled", nameof(RouteConfig.Timeout),
        nameof(RouteConfig.MaxRequestBodySize), nameof(RouteConfig.Metadata),
    ];

    private readonly Dictionary<(string Section, string? Name), IReadOnlyList<Change>> _changes = [];
    private readonly Dictionary<(ReplayRoute, ReplayRoute, string Member), bool> _sameMember = [];

    public void Dispose()
    {
        before.Dispose();
        after.Dispose();
    }

    /// <summary>Reads a log to its end.</summary>
    public ReplayReport Run(Stream log)
    {
        var report = new ReplayReport();
        var lines = new LogLines(log);
        while (lines.TryRead(out var line, out var isTooLong))
        {
            line = line.TrimEnd((byte)'\r');
            if (line.StartsWith("\uFEFF"u8)) line = line["\uFEFF"u8.Length..];
            if (line.IsEmpty && !isTooLong) continue;
            if (ReplayedRequest.Read(line) is not { } request)
            {
                report.Malformed++;
                continue;
            }

            report.Requests++;
            var (old, current) = Try(request);
            if (old != current) report.Add(old, current, request);
        }

        return report;
    }

    /// <summary>Returns the outcome of a request by each of the two configurations.</summary>
    public (ReplayOutcome Old, ReplayOutcome New) Try(ReplayedRequest request)
    {
        var (candidates, others) = (before.Find(request), after.Find(request));
        // The log is the old configuration's if the route is one that could take the request.
        var taken = candidates.Routes.FirstOrDefault(candidate => candidate.Route.Id.Equals(request.Route, StringComparison.OrdinalIgnoreCase));
        var isKnown = taken is not null || (request.Route is null && request.Reason == candidates.Reason && candidates.Refused is not null);
        if (!isKnown && candidates.Routes is [{ Unknown.Length: 0 } first, ..]) taken = first;
        var (old, current) = (
            isKnown ? new ReplayOutcome(taken?.Route.Id, request.IsLetIn ? null : request.Status, request.IsLetIn ? null : request.Reason, taken?.Route.Target)
            : taken is not null ? Judge(before, taken, request, null)
            : candidates.Routes is [var unsure, ..] ? ReplayOutcome.Unknown(null, unsure.Unknown)
            : NoRoute(request, candidates.Refused!.Value, candidates.Reason!),
            Choose(others, candidates, taken, isKnown, out var unknown) is { } next ? Judge(after, next, request, isKnown ? taken : null)
            : unknown is null ? NoRoute(request, others.Refused!.Value, others.Reason!)
            : ReplayOutcome.Unknown(null, unknown));
        // A caller that the new configuration makes of the request would get 404.
        if (others.Refused == StatusCodes.Status404NotFound && request.Scheme is null && !IsCallerSame(request))
            current = ReplayOutcome.Unknown(null, "the token");
        if (others.Refused is null && !IsSame(nameof(GatewayOptions.AllowedHosts), null)) current = ReplayOutcome.Unknown(current.Route, "the host");
        if (request.IsPathCut && old != current) current = ReplayOutcome.Unknown(current.Route, "the path, which the log cuts");
        return (old, current);
    }

    // The first route whose conditions hold. Conditions on what the log does not show are known only of the old configuration's routes. If there is
    // none, unknown names what the log would have to show; null if no route can take the request.
    private static Candidate? Choose(Candidates others, Candidates candidates, Candidate? taken, bool isKnown, out string? unknown)
    {
        unknown = null;
        foreach (var candidate in others.Routes)
        {
            if (candidate.Unknown.Length == 0 || (isKnown && taken?.Route.Conditions == candidate.Route.Conditions)) return candidate;
            // A route that came before the one that took the request did not match it.
            var earlier = candidates.Routes.TakeWhile(other => other != taken);
            if (isKnown && earlier.Any(other => other.Route.Conditions == candidate.Route.Conditions)) continue;
            unknown = candidate.Unknown;
            return null;
        }

        if (others.Refused is null) unknown = "host, headers or query";
        return null;
    }

    // Without a token, an unmatched path is 401.
    private static ReplayOutcome NoRoute(ReplayedRequest request, int status, string reason) =>
        status == StatusCodes.Status404NotFound && request.Scheme is null
            ? new(null, StatusCodes.Status401Unauthorized, request.Status == StatusCodes.Status401Unauthorized ? request.Reason : ErrorReason.NoToken, null)
            : new(null, status, reason, null);

    // What a table's route does with a request. Known is the route that took it before, if the log is known to be the old configuration's.
    private ReplayOutcome Judge(ReplayTable table, Candidate candidate, ReplayedRequest request, Candidate? known)
    {
        var route = candidate.Route;
        if (route.HasCors && IsPreflight(request, known)) return new(route.Id, null, null, route.Target);
        if (known is not null && IsCallerSame(request) && known.Organization == candidate.Organization && known.Refused == candidate.Refused)
        {
            if (IsAddressSame && Array.TrueForAll(s_deciding, member => IsSame(known.Route, route, member)))
                return new(route.Id, request.IsLetIn ? null : request.Status, request.IsLetIn ? null : request.Reason, route.Target);
            if (IsStateOf(request) && IsSame(known.Route, route, EffectiveConfiguration.Access))
                return new(route.Id, request.Status, request.Reason, route.Target);
        }

        var (unknown, unmet) = (new List<string>(), new List<string>());
        // The new policy may respond to what the old route refused: then not even a certain 401 is certain.
        if (HttpMethods.IsOptions(request.Method) && route.HasCors && known is { Route.HasCors: false }) unknown.Add("a preflight's headers");
        // If a requirement that comes before the one that is certainly not met is unknown, the request is 403 all the same.
        if ((Authenticate(table, request, route, known, unknown) ?? Preconditions(candidate) ?? Authorize(candidate, request, known, unmet)
            ?? Bounds(table, route, request, known, unknown)) is { } refused
            && unknown.Count == 0 && (unmet.Count == 0 || refused.Status == StatusCodes.Status403Forbidden))
            return new(route.Id, refused.Status, refused.Reason, route.Target);
        unknown.AddRange(unmet);
        if (IsStateOf(request)) unknown.Add("the state of the gateway, or the query");
        if (request.Method == HttpMethods.Options && known is not null && !IsSame(known.Route, route, nameof(RouteConfig.CorsPolicy)))
            unknown.Add("a preflight's headers");
        return unknown.Count > 0 ? ReplayOutcome.Unknown(route.Id, string.Join(", ", unknown.Distinct())) : new(route.Id, null, null, route.Target);
    }

    // A preflight carries no token. A route with a CORS policy responds to it before it looks for one.
    private static bool IsPreflight(ReplayedRequest request, Candidate? known) =>
        known is { Route.HasCors: true } && HttpMethods.IsOptions(request.Method)
        && request is { Status: StatusCodes.Status204NoContent, Reason: null, Scheme: null } && (known.IsPreflight || !known.Route.IsOpen);

    // Refusals that come from the gateway's state, or from parts of the request that no setting compared here reads.
    private static bool IsStateOf(ReplayedRequest request) => request.Reason is
        GatewayReason.LockedOut or GatewayReason.IssuerUnavailable or GatewayReason.IntrospectionUnavailable or GatewayReason.Upgrades or GatewayReason.Loop
        or GatewayReason.Framing or GatewayReason.Misdirected or GatewayReason.BadRequest or ErrorReason.MinimumLifetime or GatewayReason.Ambiguous
        or GatewayReason.Other or GatewayReason.InFlight or GatewayReason.Internal or GatewayReason.ClientLeft or GatewayReason.Timeout
        or GatewayReason.RequestTimeout;

    private (int Status, string Reason)? Authenticate(ReplayTable table, ReplayedRequest request, ReplayRoute route, Candidate? known, List<string> unknown)
    {
        if (route.IsOpen) return null;
        if (request.Scheme is null)
        {
            if (!IsCallerSame(request)) unknown.Add("the token");
            else if (request.Status == StatusCodes.Status401Unauthorized) return (StatusCodes.Status401Unauthorized, request.Reason ?? ErrorReason.NoToken);
            else if (known is { Route.IsOpen: true } || IsPreflight(request, known)) return (StatusCodes.Status401Unauthorized, ErrorReason.NoToken);
            else unknown.Add("the token");
            return null;
        }

        if (IsCallerSame(request)) return null;
        var options = table.Options;
        if (request.Scheme == ApiKey.Scheme && options.Authentication.Introspection is null
            && options.Authentication.ApiKeys?.Keys.ContainsKey(request.Subject ?? "") != true)
            return (StatusCodes.Status401Unauthorized, GatewayReason.ApiKey);
        var isIssued = request.Scheme is ApiKey.Scheme or IntrospectionAuthentication.Scheme;
        if (!isIssued && request.Issuer is { } issuer
            && !options.Authentication.Schemes.Values.SelectMany(static scheme => scheme.Issuers).Concat(options.AzureAd?.Issuers ?? [])
                .Contains(issuer, StringComparer.Ordinal))
            return (StatusCodes.Status401Unauthorized, GatewayReason.Issuer);
        unknown.Add(isIssued ? "the key" : "the token");
        return null;
    }

    private static (int Status, string Reason)? Preconditions(Candidate candidate) =>
        candidate.Refused is { } status ? (status, status == StatusCodes.Status405MethodNotAllowed ? ErrorReason.Method : ErrorReason.OrganizationId) : null;

    private (int Status, string Reason)? Authorize(Candidate candidate, ReplayedRequest request, Candidate? known, List<string> unknown)
    {
        var (route, policy) = (candidate.Route, candidate.Route.Policy);
        if (route.IsOpen) return null;
        var isCallerSame = IsCallerSame(request);
        var (was, isSamePlace) = (known is { Route.IsOpen: false } ? known.Route.Policy : null, known?.Organization == candidate.Organization);
        if (policy.RequireOrganization)
        {
            var isComparable = isCallerSame && was is { RequireOrganization: true } && isSamePlace;
            if (isComparable && request.Reason == ErrorReason.Organization) return (StatusCodes.Status403Forbidden, ErrorReason.Organization);
            if (!isComparable || !Met(ErrorReason.Organization)) unknown.Add("organizations");
        }

        foreach (var (word, asked, asks) in ((string, IReadOnlyList<string>?, IReadOnlyList<string>)[])
            [(GatewayReason.Scopes, was?.Scopes, policy.Scopes), (GatewayReason.Roles, was?.Roles, policy.Roles)])
        {
            if (asks.Count == 0 || (isCallerSame && asked is { Count: > 0 } && Met(word) && asked.All(asks.Contains))) continue;
            if (isCallerSame && asked is { Count: > 0 } && request.Reason == word && asks.All(asked.Contains)) return (StatusCodes.Status403Forbidden, word);
            unknown.Add(word);
        }

        return policy.Schemes.Count > 0 && !policy.Schemes.Contains(request.Scheme, StringComparer.Ordinal)
            ? (StatusCodes.Status403Forbidden, GatewayReason.Schemes)
            : null;

        bool Met(string requirement) =>
            request.IsAuthorized || Array.IndexOf(s_requirements, requirement) < Array.IndexOf(s_requirements, request.Reason);
    }

    private (int Status, string Reason)? Bounds(ReplayTable table, ReplayRoute route, ReplayedRequest request, Candidate? known, List<string> unknown)
    {
        if (route.Addresses is { } addresses)
        {
            if (request.Client is null || !IsAddressSame) unknown.Add("the client's address");
            else if (!addresses.Allows(request.Client)) return (StatusCodes.Status403Forbidden, GatewayReason.ClientAddress);
        }

        if (request.Scheme == ApiKey.Scheme && request.Subject is { } name && table.Options.Authentication.ApiKeys?.Keys.GetValueOrDefault(name) is { } key
            && key.IpAllow.Count > 0 && AddressList.TryParse(string.Join(' ', key.IpAllow), out var networks, out _))
        {
            if (!IsAddressSame) unknown.Add("the client's address");
            else if (!AddressList.Contains(networks, request.Client)) return (StatusCodes.Status403Forbidden, GatewayReason.ClientAddress);
        }

        var isLimited = request.Reason?.StartsWith(GatewayReason.LimitPrefix, StringComparison.Ordinal) == true;
        if (known is not null && !IsSame(known.Route, route, EffectiveConfiguration.Limit))
        {
            // A raised limit lets in what it let in before.
            var limit = route.Setting.Members.GetValueOrDefault(EffectiveConfiguration.Limit);
            if (limit is not null && (isLimited || ChangesOf(known.Route, route, EffectiveConfiguration.Limit)
                .Any(static change => change.Effect is not (Effect.Loosened or Effect.Changed)))) unknown.Add("the limit");
        }
        else if (isLimited)
        {
            return (request.Status, request.Reason!);
        }

        var isTooLarge = request.Reason == GatewayReason.BodyTooLarge;
        if (known is null || IsSame(known.Route, route, nameof(RouteConfig.MaxRequestBodySize)))
            return isTooLarge ? (request.Status, request.Reason!) : null;
        if (isTooLarge || request.Method is "POST" or "PUT" or "PATCH") unknown.Add("the body's size");
        return null;
    }

    // The address that a proxy reports is the client's only while the proxy is trusted.
    private bool IsAddressSame => IsSame("Edge", nameof(EdgeOptions.TrustedProxies));

    private bool IsHeaderSame => IsSame("Authentication:ApiKeys", nameof(ApiKeysOptions.Header));

    /// <summary>Whether both configurations make the same caller of the request's token or key, or refuse it alike.</summary>
    private bool IsCallerSame(ReplayedRequest request) => request.Scheme switch
    {
        // Nothing that keeps out more makes a caller of a request that had none.
        null => !Changes("Authentication", null).Concat(Changes(SchemeRules.AzureAd, null)).Any(static change => change.Loosens),
        SchemeRules.AzureAd => IsSame(SchemeRules.AzureAd, null),
        IntrospectionAuthentication.Scheme => IsSame("Authentication:Introspection", null) && IsHeaderSame,
        ApiKey.Scheme => IsSame(KeyPath.ApiKeys, request.Subject) && IsHeaderSame,
        var scheme => IsSame("Authentication:Schemes", scheme),
    };

    private bool IsSame(string section, string? name) => Changes(section, name).Count == 0;

    private IReadOnlyList<Change> Changes(string section, string? name)
    {
        if (_changes.TryGetValue((section, name), out var known)) return known;
        if (_changes.Count >= MostKept) _changes.Clear();
        var (old, current) = (At(before), At(after));
        return _changes[(section, name)] = [.. SettingComparison.Compare(old, current, name is null ? section : $"{section}:{name}", "")];

        Setting? At(ReplayTable table) => section.Split(':').Append(name).OfType<string>()
            .Aggregate((Setting?)table.Configuration.Rest, static (setting, member) => setting?.Members.GetValueOrDefault(member));
    }

    private bool IsSame(ReplayRoute old, ReplayRoute current, string member)
    {
        if (_sameMember.TryGetValue((old, current, member), out var known)) return known;
        return _sameMember[(old, current, member)] = !ChangesOf(old, current, member).Any();
    }

    private static IEnumerable<Change> ChangesOf(ReplayRoute old, ReplayRoute current, string member) => SettingComparison.Compare(
        old.Setting.Members.GetValueOrDefault(member), current.Setting.Members.GetValueOrDefault(member), $"ReverseProxy:Routes:{current.Id}:{member}", "");
}

/// <summary>What a configuration does with a request.</summary>
/// <param name="Route">The route that takes it; null if none does.</param>
/// <param name="Status">The status that it is refused with; null if it is let in.</param>
/// <param name="Reason">The access log's word for the refusal.</param>
/// <param name="Target">Where the route leads.</param>
internal sealed record ReplayOutcome(string? Route, int? Status, string? Reason, string? Target)
{
    /// <summary>What would have to be known to tell the outcome; null if it can be told.</summary>
    public string? Missing { get; private init; }

    public static ReplayOutcome Unknown(string? route, string missing) => new(route, null, null, null) { Missing = missing };
}
