using Gateway.Telemetry;

namespace Gateway.Explanations;

/// <summary>Why a request got its response, and what the configuration in effect would do with it.</summary>
internal sealed record LoggedExplanation
{
    public required LoggedRequest Logged { get; init; }

    /// <summary>Who responded, and how.</summary>
    public required string Outcome { get; init; }

    public required string Why { get; init; }

    /// <summary>What to do about it. Absent if there is nothing.</summary>
    public string? Do { get; init; }

    /// <summary>The same request by the configuration in effect, as far as it is known. Absent if too little is.</summary>
    public Explanation? Now { get; init; }

    /// <summary>More that the configuration says of it, and what cannot be known.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>Explains a request.</summary>
    /// <param name="explainer">An explainer by the configuration in effect.</param>
    /// <param name="logged">The request.</param>
    public static async Task<LoggedExplanation> OfAsync(Explainer explainer, LoggedRequest logged)
    {
        var text = logged.Reason is { } reason ? ReasonText.Of(reason) : null;
        var (outcome, why) = logged.Reason is { } word
            ? ($"{(word == GatewayReason.ClientLeft ? "ended" : "refused")} with {logged.Status} ({word})", text?.Why ?? "this version knows no such reason")
            : logged.Upstream is { } service
                ? ($"{logged.Status} from the service {service}", "the gateway let the request through, and the service responded")
            : ($"{logged.Status} from the gateway", "the gateway served the request itself");
        var now = logged is { IsPathCut: false, Path: ['/', ..] }
            ? await explainer.ExplainAsync(new(logged.Method, logged.Path, explainer.HostOf(logged)), null, null, null)
            : null;
        return new()
        {
            Logged = logged,
            Outcome = outcome,
            Why = why,
            Do = text?.Do ?? (logged is { Reason: null, Upstream: not null, Status: >= 400 } ? "ask the service's owners: they have its request id" : null),
            // Without the caller it cannot say what would be vended, nor how its token is judged.
            Now = now is null ? null : now with { AssumeRole = null, Notes = [] },
            Notes = [.. explainer.NotesOn(logged, now)],
        };
    }
}
