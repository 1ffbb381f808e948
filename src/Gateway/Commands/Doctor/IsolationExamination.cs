using System.Collections.Concurrent;
using Gateway.Configuration.Snapshots;
using IotCredentials.Http;
using IotCredentials.Operations;

namespace Gateway.Commands.Doctor;

/// <summary>
/// Opens a session for each of two organizations, with each profile that routes vend with, and tries whether a session of the first reaches one of the second,
/// whatever the profiles of the two.
/// </summary>
internal static class IsolationExamination
{
    // The AWS SDK's own variable for the data endpoint of AWS IoT.
    private const string EndpointVariable = "AWS_ENDPOINT_URL_IOT_DATA_PLANE";

    public static async Task<IReadOnlyList<DoctorResult>> RunAsync(
        Snapshot configuration, AwsDiagnostics aws, ProgramEnvironment environment, OrganizationId own, OrganizationId other, TimeSpan timeout)
    {
        Uri? address = null;
        if (environment.Variables.GetValueOrDefault(EndpointVariable) is { Length: > 0 } given && !TryReadAddress(given, out address))
            return [new(EndpointVariable, Outcome.Failed, "is not an https:// address, nor http:// with a loopback address for an emulator")];

        var profiles = configuration.Routes.Where(static route => ModuleRoute.IsCredentials(route)).Select(ModuleRoute.ProfileOf).Distinct().ToList();
        if (profiles.Count == 0) return [new("isolation", Outcome.Failed, "no route vends credentials, so that there is no session to try")];
        var results = new List<DoctorResult>();
        var owns = await OpenAllAsync(own);
        var others = await OpenAllAsync(other);
        if (results.Exists(static result => result.Outcome == Outcome.Failed)) return results;
        var pairs = owns.SelectMany(_ => others, static (mine, theirs) => (Own: mine, Other: theirs))
            .Where(static pair => AreAtOnePlace(pair.Own.Session, pair.Other.Session)).ToList();
        if (pairs.Count == 0)
        {
            var cause = $"not tried: no session of {own} is in the account and region of one of {other}; name another organization";
            results.Add(new("isolation", Outcome.Failed, cause));
        }

        foreach (var (mine, theirs) in pairs)
        {
            var rows = await IsolationCheck.RunAsync(mine.Session, theirs.Session, AddressOf, timeout);
            results.AddRange(pairs.Count == 1 ? rows : rows.Select(row => row with { Check = $"{mine.Profile} against {theirs.Profile}: {row.Check}" }));
        }

        return results;

        async Task<List<(string Profile, TrialSession Session)>> OpenAllAsync(OrganizationId organization)
        {
            var sessions = new ConcurrentQueue<(string, TrialSession)>();
            foreach (var profile in profiles)
            {
                results.Add(await DoctorResult.OfAsync($"session of {profile} for {organization}", timeout, async (_, cancellation) =>
                {
                    var session = await aws.OpenSessionAsync(configuration.Profiles!, profile, organization, cancellation);
                    sessions.Enqueue((profile, session));
                    return (Outcome.Ok, $"{session.Region}, {AddressOf(session).Authority}");
                }));
            }

            return [.. sessions];
        }

        Uri AddressOf(TrialSession session) => address ?? new Uri($"https://{session.IotEndpoint}");
    }

    // An account has one broker in a region, and may have several names for it.
    private static bool AreAtOnePlace(TrialSession own, TrialSession other) =>
        own.Region == other.Region && (own.AccountId == other.AccountId || own.IotEndpoint == other.IotEndpoint);

    // Signed requests in plain text would show the token to everyone on the way.
    private static bool TryReadAddress(string given, out Uri? address) =>
        Uri.TryCreate(given, UriKind.Absolute, out address)
        && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback));
}
