using Gateway.Authentication;
using Gateway.Configuration;
using Gateway.Configuration.Snapshots;

namespace Gateway.Commands.Doctor;

/// <summary>Checks how callers without a JSON Web Token are let in: the API keys, and the introspection endpoint.</summary>
internal static class CallerCheck
{
    public static async Task<DoctorResult[]> RunAsync(Snapshot configuration, IServiceProvider services, TimeSpan timeout)
    {
        var results = new List<DoctorResult>();
        if (configuration.Options.Authentication.ApiKeys is { } keys) results.Add(Describe(keys, services.GetRequiredService<TimeProvider>().GetUtcNow()));
        if (services.GetService<IntrospectionAuthentication>() is { } introspection)
            results.Add(await DoctorResult.OfAsync("introspection", timeout, (_, _) => AskAsync(introspection)));
        return [.. results];
    }

    private static DoctorResult Describe(ApiKeysOptions keys, DateTimeOffset now)
    {
        var expired = keys.Keys.Values.Count(key => key.Expires <= now);
        return new("API keys", expired > 0 ? Outcome.Warning : Outcome.Ok, $"{keys.Keys.Count} in {keys.Header}, {expired} of them expired");
    }

    private static async Task<(Outcome, string)> AskAsync(IntrospectionAuthentication introspection)
    {
        try
        {
            return (Outcome.Ok, await introspection.ProbeAsync());
        }
        catch (IntrospectionUnavailableException e)
        {
            return (Outcome.Failed, e.Cause);
        }
    }
}
