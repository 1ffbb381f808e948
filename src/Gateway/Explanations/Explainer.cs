using System.Collections.Frozen;
using Gateway.Authentication;
using Gateway.Authorization;
using Gateway.Configuration.Snapshots;
using Gateway.Errors;
using Gateway.Logs;
using Gateway.Networking;
using Gateway.Routes;
using Gateway.Telemetry;
using IotCredentials.Http;
using IotCredentials.Operations;
using Microsoft.AspNetCore.Authorization;

namespace Gateway.Explanations;

/// <summary>Runs one request through the gateway's own components in the gateway's order, and sends nothing.</summary>
/// <param name="configuration">The configuration in effect.</param>
/// <param name="variables">The process's environment variables.</param>
/// <param name="services">The gateway's services.</param>
/// <param name="endpoints">The endpoints of the routes, in order.</param>
internal sealed class Explainer(
    Snapshot configuration, IReadOnlyDictionary<string, string?> variables, IServiceProvider services, IReadOnlyList<RouteEndpoint> endpoints)
{
    private readonly RouteTable _table = services.GetRequiredService<SnapshotRoutes>().Current;
    private readonly List<string> _notes = [];

    /// <summary>
    /// Returns the first module route's request for an organization, or null when there is no such route or its path has other required parameters.
    /// </summary>
    public ExplainedRequest? FirstModuleRequest(string organization, string method, string? host) =>
        endpoints.FirstOrDefault(endpoint => ModuleRoute.IsCredentials(_table.Written(endpoint.RouteId()))) is { } endpoint
        && ExplainedRequest.PathOf(endpoint.RoutePattern, RouteOrganization.Parameter, organization) is { } path
            ? new(method, path, host ?? HostOf(endpoint) ?? AnyHost)
            : null;

    /// <summary>The request's host, if none is given: one that AllowedHosts allows.</summary>
    public string AnyHost => AllowedHosts().FirstOrDefault() is { } host ? OnWire(NameIn(host)) : "localhost";

    public async Task<Explanation> ExplainAsync(ExplainedRequest request, string? organization, string? token, string? apiKey)
    {
        var headers = HeadersOf(token, apiKey);
        if (await ParsedRequest.RefusalAsync(services, request, headers) is { } unparsed) return Result(unparsed, null, TextOf(unparsed));
        if (!await request.IsHostAllowedAsync(services))
        {
            return Result(
                StatusCodes.Status400BadRequest, GatewayReason.BadRequest,
                $"before routing, because AllowedHosts allows only {string.Join(", ", AllowedHosts())}");
        }

        if (await request.GuardAsync(services, configuration.Options.Edge.Methods, headers) is { } guarded)
        {
            return Result(guarded.Status, guarded.Reason, guarded.Reason switch
            {
                GatewayReason.Framing => "before routing, because a service could read a header differently than the gateway",
                ErrorReason.Method => $"before routing, because Edge:Methods allows only {string.Join(", ", configuration.Options.Edge.Methods)}",
                _ => "before routing, because a service could read the path differently than the gateway",
            });
        }

        var context = request.Context(services, headers);
        var verdict = token is not null ? await TokenVerdict.OfAsync(context) : apiKey is not null ? TokenVerdict.OfKey(services, apiKey) : null;
        if (verdict is null)
            _notes.Add("no token was given, so authorization is not evaluated; without a token, the response is 401 on every route that is not Anonymous");
        else if (verdict is { Caller: null, Failures.Count: 0 })
            _notes.Add($"only the introspection endpoint knows who the {verdict.Noun} is for, so authorization is not evaluated");
        Endpoint? found;
        try
        {
            await using var routing = Router.Services(services);
            found = await new Router(routing, endpoints).FindAsync(context);
        }
        catch (Exception e) when (RouteConflict.Is(e))
        {
            const string Conflict = "several routes match, and none of them takes precedence: give one an Order";
            return await WithLostAsync(Result(RouteConflict.Status, GatewayReason.BadRequest, Conflict), null);
        }

        var taken = found as RouteEndpoint;
        if (taken is null || !endpoints.Contains(taken))
        {
            var (status, reason, why) = verdict is { Failures.Count: > 0 }
                ? (StatusCodes.Status401Unauthorized, verdict.Reason, $"the {verdict.Noun} is invalid")
                : found is null ? (StatusCodes.Status404NotFound, GatewayReason.NoRoute, "no route matches")
                : (StatusCodes.Status405MethodNotAllowed, ErrorReason.Method, "the routes of this path accept other methods");
            return await WithLostAsync(Result(status, reason, why) with { Token = verdict }, null);
        }

        if (verdict is not null) verdict = verdict with { Requirements = await JudgeAsync(context, taken, verdict) };
        var row = RouteRow.Of(taken, _table, configuration);
        var refusal = Refusal(context, taken, row, verdict);
        var explanation = (refusal is var (refused, word, cause) ? Result(refused, word, cause) : Result(null, null, "")) with
        {
            Route = row,
            Token = verdict,
            AssumeRole = AssumeRole(context, row, organization, verdict),
        };
        explanation = await WithLostAsync(explanation, taken);
        return explanation.Refused is not null ? explanation : explanation with
        {
            Why = explanation.Lost!.Count == 0 ? "no other route matches its path" : "it comes first among the routes that match",
        };

        Explanation Result(int? refused, string? reason, string why) =>
            new() { Request = request, Refused = refused, Reason = reason, Why = why, Notes = _notes };

        async Task<Explanation> WithLostAsync(Explanation unfinished, RouteEndpoint? winner)
        {
            var contest = await RouteMatchExplanation.OfAsync(services, endpoints, winner, _table, () => request.Context(services));
            return unfinished with { Lost = contest.Lost, OtherPaths = contest.OtherPaths };
        }
    }

    /// <summary>What the configuration in effect says of a request that was logged, and what its line does not tell.</summary>
    /// <param name="logged">The request.</param>
    /// <param name="now">The request by the configuration in effect; null if its path is not known.</param>
    public IEnumerable<string> NotesOn(LoggedRequest logged, Explanation? now)
    {
        if (logged.Route is { } then && !_table.Has(then)) yield return $"there is no route {Finding.Quote(then)} any more";
        else if (now is not null && logged.Route is not null && logged.Route != now.Route?.Route)
            yield return $"the route {logged.Route} took it then: host, headers or query decided, or the configuration has changed";
        if (now?.Route is { Requirements: { Count: > 0 } asked } row) yield return $"the policy {row.Policy} asks for: {string.Join("; ", asked)}";
        if (Endpoint(now?.Route?.Route)?.Metadata.GetMetadata<IpAllowList>() is { } allowed && logged.Address is { } address)
            yield return $"the client's address {address} is {(allowed.Allows(address) ? "" : "not ")}in the route's IpAllow";
        if (logged.Scheme == ApiKey.Scheme && configuration.Options.Authentication.ApiKeys?.Keys.GetValueOrDefault(logged.Subject ?? "") is { } key)
        {
            yield return $"the key has the organizations {List(key.Organizations)}; roles {List(key.Roles)}; scopes {List(key.Scopes)}"
                + $"{(key.IpAllow.Count > 0 ? $"; only clients of {List(key.IpAllow)} may use it" : "")}";
        }

        if (configuration.Options.Authentication.Schemes.GetValueOrDefault(logged.Scheme ?? "")?.Organizations?.Only is { } only)
            yield return $"the scheme {logged.Scheme} speaks for the organizations {List(only)} only";
        if (logged.IsPathCut) yield return "only the beginning of the path is known, so it is not matched again";
        else if (now is null) yield return "its target is no path, so no route is matched";
        yield return "not known from this: the token with its organizations, roles and scopes, headers, host, query and body. "
            + "To have those judged too, explain the request with its token";
    }

    /// <summary>A host that the route of a request accepts. The access log has none.</summary>
    public string HostOf(LoggedRequest logged) => (Endpoint(logged.Route) is { } endpoint ? HostOf(endpoint) : null) ?? AnyHost;

    private RouteEndpoint? Endpoint(string? route) => route is null ? null : endpoints.FirstOrDefault(endpoint => endpoint.RouteId() == route);

    private static string List(IReadOnlyCollection<string> values) => values.Count == 0 ? "none" : string.Join(", ", values);

    private string? HostOf(RouteEndpoint endpoint)
    {
        var hosts = _table.Written(endpoint.RouteId()).Match.Hosts;
        var name = hosts?.FirstOrDefault(static name => !name.Contains('*', StringComparison.Ordinal))
            ?? hosts?.Select(NameIn).FirstOrDefault(static name => !name.Contains('*', StringComparison.Ordinal));
        return name is null ? null : OnWire(name);
    }

    // The configuration names such a host in Unicode; a request carries it as Punycode.
    private static string OnWire(string name) => new HostString(name).ToUriComponent();

    private static string NameIn(string host) => host.StartsWith("*.", StringComparison.Ordinal) ? $"any{host[1..]}" : host;

    // Empty if any host is allowed.
    private string[] AllowedHosts() =>
        configuration.Options.AllowedHosts?.Split(';', StringSplitOptions.RemoveEmptyEntries) is { } hosts && !hosts.Contains("*") ? hosts : [];

    private KeyValuePair<string, string>[] HeadersOf(string? token, string? apiKey) =>
        token is not null ? [new("Authorization", $"Bearer {token}")]
        : apiKey is not null && services.GetRequiredService<ApiKeyTable>().Header is { } header ? [new(header, apiKey)]
        : [];

    private static string TextOf(int status) => "as HTTP/1.1, before any step of the gateway and without a line in the access log: " + status switch
    {
        StatusCodes.Status414UriTooLong => "the request line is longer than Kestrel:Limits:MaxRequestLineSize",
        StatusCodes.Status431RequestHeaderFieldsTooLarge =>
            "Host and the token or key alone exceed Kestrel:Limits:MaxRequestHeadersTotalSize or MaxRequestHeaderCount",
        _ => "the method, the target, the host or a header is not valid in HTTP",
    };

    // The order is that of the gateway's responses: 401, then the endpoint's preconditions (405, 422), then 403.
    private (int Status, string Reason, string Why)? Refusal(HttpContext context, RouteEndpoint taken, RouteRow row, TokenVerdict? verdict)
    {
        if (!row.Anyone && verdict is { Failures.Count: > 0 }) return (StatusCodes.Status401Unauthorized, verdict.Reason, $"the {verdict.Noun} is invalid");
        if (Preconditions.RefusalOf(context, taken) is { } refused)
        {
            return (refused, RequestReason.Of(context, refused)!, refused == StatusCodes.Status405MethodNotAllowed ? "a module route accepts only GET"
                : RouteOrganization.Of(context) is null ? "the organization id is malformed: IotCredentials:OrganizationId defines its form"
                : "minimumLifetime is not a number of seconds that the profile can guarantee");
        }

        if (verdict?.Requirements.FirstOrDefault(requirement => !requirement.Met) is { } unmet)
            return (StatusCodes.Status403Forbidden, unmet.Reason, $"a requirement is not met: {unmet.Requirement}");
        if (taken.Metadata.GetMetadata<IpAllowList>() is not null) _notes.Add($"only clients of {row.IpAllow} may use the route; others get 403");
        if (verdict is { IsKey: true, Caller: { } owner } && CallerIdentity.Of(owner) is { } caller)
        {
            _notes.Add($"the key's organizations: {List(caller.Organizations)}; roles: {List(caller.Roles)}; scopes: {List(caller.Scopes)}");
            if (caller.ExpiresAt < DateTimeOffset.MaxValue) _notes.Add($"the key ends at {UtcTime.Seconds(caller.ExpiresAt)}");
        }

        if (verdict?.Caller is { } user && CallerIdentity.Of(user)?.IpAllow is { } allowed)
            _notes.Add($"only clients of {string.Join(", ", allowed)} may use the key; others get 403");
        if (row.Limit is { } limit) _notes.Add($"if the limit {limit.Name} is exceeded, the response is 429");
        return null;
    }

    private static string List(FrozenSet<string> values) => values.Count == 0 ? "none" : string.Join(", ", values.Order(StringComparer.Ordinal));

    private async Task<IReadOnlyList<RequirementVerdict>> JudgeAsync(HttpContext context, RouteEndpoint taken, TokenVerdict verdict)
    {
        if (verdict.Caller is not { } caller) return [];
        var authorization = services.GetRequiredService<IAuthorizationService>();
        context.User = caller;
        var judged = new List<RequirementVerdict>();
        foreach (var requirement in RouteRow.RequirementsOf(_table.PolicyOf(_table.Written(taken.RouteId()))))
        {
            var isMet = (await authorization.AuthorizeAsync(caller, context, requirement)).Succeeded;
            judged.Add(new(requirement.ToString()!, isMet) { Reason = OrderedAuthorizationResultHandler.ReasonOf(requirement) });
        }

        return judged;
    }

    private AssumeRoleExplanation? AssumeRole(HttpContext context, RouteRow row, string? asked, TokenVerdict? verdict)
    {
        var named = RouteOrganization.Of(context);
        if (named is not null && asked is not null && named.Value != asked)
            _notes.Add($"the path names the organization {named}, not {Finding.Quote(asked)}");
        var profiles = RouteOrganization.ProfilesOf(context);
        if (row.Target.Profile is not { } name || named is null || !profiles.Has(name)) return null;

        var assumed = services.GetRequiredService<AssumeRoleExplainer>().Explain(profiles, name, named, verdict?.Caller, variables);
        if (assumed is null)
            _notes.Add("the profile's sessions belong to a caller: to see the AssumeRole call, give a token that identifies one");
        if (assumed is { DecidedByDirectory: { } decided })
        {
            _notes.Add(
                "IotCredentials:Directory decides where the organization lives, and explain does not ask it: "
                + $"{(decided.Count > 0 ? $"it fills {string.Join(", ", decided)}" : "its account must be the role's")}, and the key in Redis depends on it");
        }
        else if (assumed is { Identity: null })
        {
            _notes.Add(
                "the gateway's AWS identity can only be learned by calling AWS, which explain does not do: "
                + "the key is shown with an empty identity, and is not the real one");
        }

        if (assumed is not null && configuration.Options.ConnectionStrings.Redis is null)
            _notes.Add("Redis is not configured: only the process's own cache has the entry");
        return assumed;
    }
}
