using Gateway.Configuration.Snapshots;
using IotCredentials.Http;
using IotCredentials.Operations;

namespace Gateway.Commands.Doctor;

/// <summary>Opens a session for each of two organizations, with each profile that routes vend with, and tries whether the first reaches the second.</summary>
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
        foreach (var profile in profiles)
        {
            var sessions = new List<TrialSession>();
            foreach (var organization in new[] { own, other })
            {
                results.Add(await DoctorResult.OfAsync($"session of {profile} for {organization}", timeout, async (_, cancellation) =>
                {
                    var session = await aws.OpenSessionAsync(configuration.Profiles!, profile, organization, cancellation);
                    lock (sessions) sessions.Add(session);
                    return (Outcome.Ok, $"{session.Region}, {address?.Authority ?? session.IotEndpoint}");
                }));
            }

            if (results.Exists(static result => result.Outcome == Outcome.Failed)) break;
            results.AddRange(await IsolationCheck.RunAsync(
                sessions[0], sessions[1], session => address ?? new Uri($"https://{session.IotEndpoint}"), timeout));
        }

        return results;
    }

    // Signed requests in plain text would show the token to everyone on the way.
    private static bool TryReadAddress(string given, out Uri? address) =>
        Uri.TryCreate(given, UriKind.Absolute, out address)
        && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback));
}
