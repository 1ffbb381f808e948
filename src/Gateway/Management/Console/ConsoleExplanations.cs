using System.Collections;
using System.Text.RegularExpressions;
using Gateway.Configuration.Snapshots;
using Gateway.Explanations;
using Gateway.Recording;

namespace Gateway.Management.Console;

/// <summary>Explains a request that an operator describes, or one that was refused, as <c>explain</c> does. One at a time: each builds a router per route.</summary>
internal sealed partial class ConsoleExplanations(
    ConsoleRoutes routes, RefusedRequests refused, SnapshotConfigurationProvider snapshots, IServiceProvider services)
    : IDisposable
{
    private const int MostOthers = 10;

    private readonly SemaphoreSlim _explaining = new(1);

    public void Dispose() => _explaining.Dispose();

    /// <returns>The explanation, or a problem with the form.</returns>
    public async Task<object> OfAsync(ExplainForm form, CancellationToken cancellation)
    {
        await _explaining.WaitAsync(cancellation);
        try
        {
            var explainer = new Explainer(snapshots.Current, Variables(), services, routes.Endpoints());
            if (!string.IsNullOrWhiteSpace(form.Logged)) return await ExplainLoggedAsync(explainer, form.Logged.Trim());
            var host = string.IsNullOrEmpty(form.Host) ? null : form.Host;
            var method = string.IsNullOrEmpty(form.Method) ? HttpMethods.Get : form.Method;
            var organization = string.IsNullOrEmpty(form.Organization) ? null : form.Organization;
            var request = form.Path is ['/', ..] ? new ExplainedRequest(method, form.Path, host ?? explainer.AnyHost)
                : organization is not null && string.IsNullOrEmpty(form.Path) ? explainer.FirstModuleRequest(organization, method, host)
                : null;
            if (request is null) return new { Problem = "There is no request to explain: write a path that begins with /, or an organization." };
            var token = string.IsNullOrWhiteSpace(form.Token) ? null : form.Token.Trim();
            return await explainer.ExplainAsync(request, organization, token, apiKey: null);
        }
        finally
        {
            _explaining.Release();
        }
    }

    private async Task<object> ExplainLoggedAsync(Explainer explainer, string text)
    {
        if (text.StartsWith('{'))
            return LoggedRequest.Read(text, out var problem) is { } line ? await LoggedExplanation.OfAsync(explainer, line) : new { Problem = problem };
        if (RequestIdText().Match(text) is not { Success: true } written)
        {
            return new
            {
                Problem = "This is no line of the access log, which begins with {, and no request id or trace id: these are 32 hexadecimal digits. "
                    + "A traceparent is read as well.",
            };
        }

        var found = refused.Find(written.Groups["id"].Value);
        if (found.Count == 0)
        {
            return new
            {
                Problem = "This replica has refused no such request in the last 15 minutes, or more of its kind since: it keeps the last "
                    + $"{RefusedRequests.PerReason} for each reason. Requests that were served, or that a service refused itself, are not kept. "
                    + "Look for the id in the access log, and give the whole line.",
            };
        }

        var explained = await LoggedExplanation.OfAsync(explainer, LoggedRequest.Of(found[0]));
        return found.Count == 1 ? explained : explained with
        {
            Notes =
            [
                .. explained.Notes,
                $"{found.Count - 1} more refused requests have this trace id; the newest is explained. Others: "
                + string.Join(", ", found.Skip(1).Take(MostOthers).Select(static request => request.RequestId)),
            ],
        };
    }

    // The trace id of a traceparent (W3C Trace Context) is its second part.
    [GeneratedRegex("^(?:[0-9a-fA-F]{2}-(?<id>[0-9a-fA-F]{32})-[0-9a-fA-F]{16}-[0-9a-fA-F]{2}|(?<id>[0-9a-fA-F]{32}))$")]
    private static partial Regex RequestIdText();

    private static Dictionary<string, string?> Variables() => Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
        .ToDictionary(static variable => (string)variable.Key, static variable => (string?)variable.Value);
}

/// <summary>
/// The request that an operator asks about. <c>Logged</c> is a line of the access log, a request id or a trace id; the other members are not read then.
/// </summary>
internal sealed record ExplainForm(string? Method, string? Path, string? Host, string? Organization, string? Token, string? Logged);
