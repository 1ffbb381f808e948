using Gateway.Configuration.Snapshots;
using IotCredentials.Http;
using IotCredentials.Operations;

namespace Gateway.Commands.Doctor;

/// <summary>
/// Checks AWS, and the directory of organizations if there is one, as the module does. Only profiles that routes vend with are needed to serve.
/// </summary>
internal static class AwsCheck
{
    public static async Task<DoctorResult[]> RunAsync(
        Snapshot configuration, IServiceProvider services, ProgramEnvironment environment, OrganizationId? organization, TimeSpan timeout)
    {
        var needed = configuration.Routes.Where(static route => ModuleRoute.IsCredentials(route)).Select(ModuleRoute.ProfileOf)
            .ToHashSet(StringComparer.Ordinal);
        using var deadline = new CancellationTokenSource(timeout);
        var directory = services.GetRequiredService<DirectoryDiagnostics>().ChecksOf(configuration.Profiles!, organization);
        var aws = await services.GetRequiredService<AwsDiagnostics>()
            .ChecksOfAsync(configuration.Profiles!, needed, organization, environment.Variables, deadline.Token);
        return await Task.WhenAll(directory.Concat(aws).Select(check => DoctorResult.OfAsync(
            check.Name, timeout, async (progress, cancellation) => (Outcome.Ok, await check.RunAsync(progress, cancellation)),
            check.IsNeeded ? Outcome.Failed : Outcome.Warning)));
    }
}
