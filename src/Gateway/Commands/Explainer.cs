using Gateway.Configuration.Snapshots;
using Gateway.Errors;
using Gateway.Networking;
using Gateway.Routes;
using IotCredentials.Http;
using IotCredentials.Operations;
using Microsoft.AspNetCore.Authorization;

namespace Gateway.Commands;

/// <summary>Runs one request through the gateway's own components in the gateway's order, and sends nothing.</summary>
internal sealed class Explainer(Snapshot configuration, ProgramEnvironment environment, WebApplication gateway)
{
    private readonly IServiceProvider _services = gateway.Services;
    private readonly IReadOnlyList<RouteEndpoint> _endpoints = RouteOrder.Of(gateway);
    private readonly RouteTable _table = gateway.Services.GetRequiredService<SnapshotRoutes>().Current;
    private readonly List<string> _notes = [];

    /// <summary>
    /// Returns the first module route's request for an organization, or null when there is no such route or its path has other required parameters.
    /// </summary>
    public ExplainedRequest? FirstModuleRequest(string organization, string method, string? host) =>
        _endpoints.FirstOrDefault(endpoint => ModuleRoute.IsCredentials(_table.Written(endpoint.RouteId()))) is { } endpoint
        && ExplainedRequest.PathOf(endpoint.RoutePattern, RouteOrganization.Parameter, organization) is { } path
            ? new(method, path, host ?? HostOf(endpoint) ?? ExplainCommand.AnyHost)
            : null;

    public async Task<Explanation> ExplainAsync(ExplainedRequest request, string? organization, string? token)
    {
        if (await request.GuardAsync(_services, configuration.Options.Edge.Methods) is { } guarded)
        {
            return Answer(guarded, guarded == StatusCodes.Status400BadRequest
                ? "before any route is looked for: a service could read the path as another one than the gateway does"
                : $"before any route is looked for: Edge:Methods are {string.Join(", ", configuration.Options.Edge.Methods)}");
        }

        var context = request.Context(_services, token);
        var verdict = token is null ? null : await TokenVerdict.OfAsync(context);
        if (token is null) _notes.Add("no token was given: whether the caller may is not judged, and without a token every route that is not Anonymous answers 401");
        Endpoint? found;
        try
        {
            await using var routing = Router.Services(_services);
            found = await new Router(routing, _endpoints).FindAsync(context);
        }
        catch (Exception e) when (RouteConflict.Is(e))
        {
            return await WithLostAsync(Answer(RouteConflict.Status, "several routes match it, and none before the others: give one of them an Order"), null);
        }

        var taken = found as RouteEndpoint;
        if (taken is null || !_endpoints.Contains(taken))
        {
            var (status, why) = verdict is { Failures.Count: > 0 } ? (StatusCodes.Status401Unauthorized, "the token fails")
                : found is null ? (StatusCodes.Status404NotFound, "no route takes it")
                : (StatusCodes.Status405MethodNotAllowed, "the routes of this path take other methods");
            return await WithLostAsync(Answer(status, why) with { Token = verdict }, null);
        }

        if (verdict is not null) verdict = verdict with { Requirements = await JudgeAsync(context, taken, verdict) };
        var row = RouteRow.Of(taken, _table, configuration);
        var explanation = (Refusal(context, taken, row, verdict) is var (refused, reason) ? Answer(refused, reason) : Answer(null, "")) with
        {
            Route = row,
            Token = verdict,
            AssumeRole = AssumeRole(context, row, organization, verdict),
        };
        explanation = await WithLostAsync(explanation, taken);
        return explanation.Refused is not null ? explanation : explanation with
        {
            Why = explanation.Lost!.Count == 0 ? "no other route matches its path" : "of those that match, it comes first",
        };

        Explanation Answer(int? refused, string why) => new() { Request = request, Refused = refused, Why = why, Notes = _notes };

        async Task<Explanation> WithLostAsync(Explanation unfinished, RouteEndpoint? winner)
        {
            var contest = await RouteMatchExplanation.OfAsync(_services, _endpoints, winner, _table, () => request.Context(_services, null));
            return unfinished with { Lost = contest.Lost, OtherPaths = contest.OtherPaths };
        }
    }

    private string? HostOf(RouteEndpoint endpoint) =>
        _table.Written(endpoint.RouteId()).Match.Hosts?.FirstOrDefault(name => !name.Contains('*', StringComparison.Ordinal));

    // The order is that of the gateway's responses: 401, then the endpoint's preconditions (405, 422), then 403.
    private (int Status, string Why)? Refusal(HttpContext context, RouteEndpoint taken, RouteRow row, TokenVerdict? verdict)
    {
        if (!row.Anyone && verdict is { Failures.Count: > 0 }) return (StatusCodes.Status401Unauthorized, "the token fails");
        foreach (var rule in taken.Metadata.GetOrderedMetadata<IRequestPrecondition>())
        {
            if (rule.Check(context) is not { } refused) continue;
            return (refused, refused == StatusCodes.Status405MethodNotAllowed ? "a module route takes GET alone"
                : RouteOrganization.Of(context) is null ? "the organization id is malformed: IotCredentials:OrganizationId says its form"
                : "minimumLifetime is no number of seconds that the profile can promise");
        }

        if (verdict?.Requirements.FirstOrDefault(requirement => !requirement.Met) is { } unmet) return (StatusCodes.Status403Forbidden, $"not met: {unmet.Requirement}");
        if (taken.Metadata.GetMetadata<IpAllowList>() is not null) _notes.Add($"only clients of {row.IpAllow} may use the route; others are answered 403");
        if (row.Limit is { } limit) _notes.Add($"over the limit {limit.Name} it is answered 429");
        return null;
    }

    private async Task<IReadOnlyList<RequirementVerdict>> JudgeAsync(HttpContext context, RouteEndpoint taken, TokenVerdict verdict)
    {
        if (verdict.Caller is not { } caller) return [];
        var authorization = _services.GetRequiredService<IAuthorizationService>();
        context.User = caller;
        var judged = new List<RequirementVerdict>();
        foreach (var requirement in RouteRow.RequirementsOf(_table.PolicyOf(_table.Written(taken.RouteId()))))
            judged.Add(new(requirement.ToString()!, (await authorization.AuthorizeAsync(caller, context, requirement)).Succeeded));
        return judged;
    }

    private AssumeRoleExplanation? AssumeRole(HttpContext context, RouteRow row, string? asked, TokenVerdict? verdict)
    {
        var named = RouteOrganization.Of(context);
        if (named is not null && asked is not null && named.Value != asked) _notes.Add($"the path names the organization {named}, not {Finding.Quote(asked)}");
        var profiles = RouteOrganization.ProfilesOf(context);
        if (row.Target.Profile is not { } name || named is null || !profiles.Has(name)) return null;

        var assumed = _services.GetRequiredService<AssumeRoleExplainer>().Explain(profiles, name, named, verdict?.Caller, environment.Variables);
        if (assumed is null)
            _notes.Add("sessions of the profile are a caller's own: with a token that names one, the AssumeRole is shown");
        if (assumed is { Identity: null })
            _notes.Add("who the gateway is to AWS is AWS's to tell, and no call is made: the key is shown with the identity left empty, which is not the real one");
        if (assumed is not null && configuration.Options.ConnectionStrings.Redis is null)
            _notes.Add("there is no Redis: the process's own cache alone has the entry");
        return assumed;
    }
}
