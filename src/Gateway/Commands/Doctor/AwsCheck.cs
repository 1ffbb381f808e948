using Gateway.Configuration.Snapshots;
using IotCredentials.Http;
using IotCredentials.Operations;

namespace Gateway.Commands.Doctor;

/// <summary>Checks AWS as the module does. Only profiles that routes vend with are needed to serve.</summary>
internal static class AwsCheck
{
    public static Task<DoctorResult[]> RunAsync(
        Snapshot configuration, IServiceProvider services, ProgramEnvironment environment, OrganizationId? organization, TimeSpan timeout)
    {
        var needed = configuration.Routes.Where(static route => ModuleRoute.IsCredentials(route)).Select(ModuleRoute.ProfileOf)
            .ToHashSet(StringComparer.Ordinal);
        var checks = services.GetRequiredService<AwsDiagnostics>().ChecksOf(configuration.Profiles!, needed, organization, environment.Variables);
        return Task.WhenAll(checks.Select(check => DoctorResult.OfAsync(
            check.Name, timeout, async (progress, cancellation) => (Outcome.Ok, await check.RunAsync(progress, cancellation)),
            check.IsNeeded ? Outcome.Failed : Outcome.Warning)));
    }
}
