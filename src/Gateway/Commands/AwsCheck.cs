using System.Globalization;
using Amazon.SecurityToken.Model;
using IotCredentials;
using IotCredentials.Aws;
using IotCredentials.Failures;
using IotCredentials.Http;
using IotCredentials.Profiles;
using IotCredentials.Vending;
using Gateway.Configuration.Snapshots;

namespace Gateway.Commands;

/// <summary>
/// Checks AWS with the module's own clients: the gateway's identity, the IoT endpoints that must be looked up, and a trial session if an organization
/// is given. Only profiles that routes vend by are needed to serve.
/// </summary>
internal sealed class AwsCheck(
    AwsClients clients, OwnCredentials own, DescribeEndpointClient iot, TimeProvider time, ProgramEnvironment environment, OrganizationId? organization, TimeSpan timeout)
{
    private const string Searching =
        "the AWS SDK found no credentials in the environment's variables, a web identity, a profile or a container, and the last place, "
        + "the instance metadata, does not answer";

    public static Task<DoctorResult[]> RunAsync(
        Snapshot configuration, IServiceProvider services, ProgramEnvironment environment, OrganizationId? organization, TimeSpan timeout) =>
        new AwsCheck(
            services.GetRequiredService<AwsClients>(), services.GetRequiredService<OwnCredentials>(), services.GetRequiredService<DescribeEndpointClient>(),
            services.GetRequiredService<TimeProvider>(), environment, organization, timeout)
            .RunAsync(configuration);

    private async Task<DoctorResult[]> RunAsync(Snapshot configuration)
    {
        var needed = configuration.Routes.Where(route => ModuleRoute.ModuleOf(route) is not null).Select(ModuleRoute.ProfileOf).ToHashSet(StringComparer.Ordinal);
        var profiles = configuration.Options.IotCredentials.Profiles.Keys
            .Select(name => (Name: name, Profile: configuration.Profiles!.Find(name, organization)!, IsNeeded: needed.Contains(name)))
            .ToList();

        var checks = new List<Task<DoctorResult>>();
        foreach (var region in profiles.GroupBy(profile => profile.Profile.Region, StringComparer.Ordinal))
            checks.Add(LookAsync($"STS {region.Key}", region.Any(profile => profile.IsNeeded), cancellation => CallerAsync(region.Key, cancellation)));
        foreach (var (name, profile, isNeeded) in profiles.Where(profile => profile.Profile.IotEndpoint is null))
            checks.Add(LookAsync($"IoT endpoint of {name}", isNeeded, cancellation => EndpointAsync(profile, cancellation)));
        foreach (var (name, profile, isNeeded) in profiles.Where(profile => profile.IsNeeded && organization is not null))
            checks.Add(LookAsync($"AssumeRole of {name} for {organization}", isNeeded, cancellation => SessionAsync(profile, cancellation)));
        return await Task.WhenAll(checks);
    }

    private Task<DoctorResult> LookAsync(string check, bool isNeeded, Func<CancellationToken, Task<string>> look) => DoctorResult.OfAsync(
        check,
        timeout,
        async (waiting, cancellation) =>
        {
            var sources = AwsSources.Of(environment.Variables);
            // If the environment has no credential source, this message is clearer than the error of a call without credentials.
            if (sources.Problem is { } problem) throw new VendingException(FailureClass.Credentials, problem);
            waiting.For = sources.Kind == AwsSourceKind.InstanceMetadata ? Searching : $"{sources.Name} does not lead to credentials in that time";
            await own.FindAsync(cancellation);
            waiting.For = null;
            return (Outcome.Ok, await look(cancellation));
        },
        isNeeded ? Outcome.Failed : Outcome.Warning);

    private async Task<string> CallerAsync(string region, CancellationToken cancellation)
    {
        var caller = await AskCallerAsync(region, cancellation);
        return $"account {caller.Account}, {caller.Arn}";
    }

    private Task<GetCallerIdentityResponse> AskCallerAsync(string region, CancellationToken cancellation) => own.UseAsync(
        region, "sts:GetCallerIdentity", clients.StsUrl(region),
        async credentials =>
        {
            using var sts = clients.Sts(region, credentials);
            return await sts.GetCallerIdentityAsync(new GetCallerIdentityRequest(), cancellation);
        },
        cancellation);

    private async Task<string> EndpointAsync(Profile profile, CancellationToken cancellation)
    {
        var endpoint = await iot.DescribeEndpointAsync(profile, cancellation);
        if (profile.EndpointRoleArn is not null) return endpoint;
        var account = (await AskCallerAsync(profile.Region, cancellation)).Account;
        return account == profile.Role.AccountId ? endpoint : throw new VendingException(
            FailureClass.Refused,
            $"AWS IoT names the endpoint of the account {account}, the gateway's own, and RoleArn is of {profile.Role.AccountId}: name EndpointRoleArn or IotEndpoint");
    }

    private async Task<string> SessionAsync(Profile profile, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        // If sessions belong to a caller, this command is the caller.
        var caller = new VendCaller("gateway", "doctor", now + profile.SessionDuration);
        var request = VendContextFactory.Make(profile, organization!, caller, environment.Name, generation: null, identity: "", clients.StsAddress(profile.Region), now)!;
        var answer = await own.UseAsync(
            profile.Region, "sts:AssumeRole", clients.StsUrl(profile.Region),
            async credentials =>
            {
                using var sts = clients.Sts(profile.Region, credentials);
                return await sts.AssumeRoleAsync(AssumeRoleClient.RequestOf(request), cancellation);
            },
            cancellation);
#pragma warning disable CS0618 // The successor, SessionTokenUtilization, is not returned everywhere yet.
        var packed = answer.PackedPolicySize is { } size ? $", packed policy {size} % of what STS takes" : "";
#pragma warning restore CS0618
        return answer.Credentials?.Expiration is { } expiration
            ? string.Create(CultureInfo.InvariantCulture, $"{request.RoleArn}, until {expiration.ToUniversalTime():yyyy-MM-dd'T'HH:mm:ss'Z'}{packed}")
            : throw new VendingException(FailureClass.Unavailable, "the answer of sts:AssumeRole holds no credentials");
    }
}
