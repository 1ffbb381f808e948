using System.Globalization;
using Amazon.SecurityToken.Model;
using CredentialModule;
using CredentialModule.Aws;
using CredentialModule.Http;
using CredentialModule.Profiles;
using CredentialModule.Vending;
using Gateway.Configuration;

namespace Gateway.Commands;

/// <summary>AWS by the module's own clients: who the gateway is, the endpoints that are asked for, and, for an organization, a trial session.</summary>
internal static class AwsExamination
{
    public static async Task<Diagnosis[]> RunAsync(Snapshot configuration, IServiceProvider services, ProgramEnvironment environment, OrganizationId? organization)
    {
        var clients = services.GetRequiredService<AwsClients>();
        var sts = services.GetRequiredService<StsCalls>();
        var profiles = configuration.Options.IotCredentials.Profiles.Keys
            .Select(name => (Name: name, Profile: configuration.Profiles!.Find(name, organization)!))
            .ToList();
        var vending = configuration.Routes.Where(route => ModuleRoute.ModuleOf(route) is not null).Select(ModuleRoute.ProfileOf).ToHashSet(StringComparer.Ordinal);

        return await Task.WhenAll([
            .. profiles.Select(profile => profile.Profile.Region).Distinct(StringComparer.Ordinal)
                .Select(region => LookAsync(clients, $"STS {region}", "sts:GetCallerIdentity", cancellation => CallerAsync(clients, region, cancellation))),
            .. profiles.Where(profile => profile.Profile.IotEndpoint is null)
                .Select(profile => LookAsync(clients, $"IoT endpoint of {profile.Name}", "iot:DescribeEndpoint", cancellation => EndpointAsync(clients, sts, profile.Profile, cancellation))),
            .. profiles.Where(profile => organization is not null && vending.Contains(profile.Name))
                .Select(profile => LookAsync(
                    clients, $"AssumeRole of {profile.Name} for {organization}", "sts:AssumeRole", cancellation => SessionAsync(clients, profile.Profile, organization!, environment, cancellation))),
        ]);
    }

    private static Task<Diagnosis> LookAsync(AwsClients clients, string check, string call, Func<CancellationToken, Task<string>> look) => Diagnosis.OfAsync(check, async cancellation =>
    {
        try
        {
            // Where there are none, this says so in better words than a call without them.
            await clients.BaseCredentialsAsync(cancellation);
            return (Outcome.Ok, await look(cancellation));
        }
        catch (Exception e) when (e is not VendingException && !cancellation.IsCancellationRequested)
        {
            throw AwsFailure.From(e, call);
        }
    });

    private static async Task<string> CallerAsync(AwsClients clients, string region, CancellationToken cancellation)
    {
        var caller = await clients.Sts(region).GetCallerIdentityAsync(new GetCallerIdentityRequest(), cancellation);
        return $"account {caller.Account}, {caller.Arn}";
    }

    private static async Task<string> EndpointAsync(AwsClients clients, StsCalls sts, Profile profile, CancellationToken cancellation)
    {
        var credentials = profile.EndpointRoleArn is { } role
            ? await sts.AssumeEndpointRoleAsync(role, profile.Region, cancellation)
            : await clients.BaseCredentialsAsync(cancellation);
        using var iot = clients.IoT(profile.Region, credentials);
        var address = (await iot.DescribeEndpointAsync(new DescribeEndpointRequest(), cancellation)).EndpointAddress;
        return Uri.CheckHostName(address) == UriHostNameType.Dns ? address! : throw new VendingException(FailureClass.Unavailable, "the answer of iot:DescribeEndpoint holds no host name");
    }

    private static async Task<string> SessionAsync(AwsClients clients, Profile profile, OrganizationId organization, ProgramEnvironment environment, CancellationToken cancellation)
    {
        var now = DateTimeOffset.UtcNow;
        // Where sessions are a caller's own, the caller is this command.
        var caller = new VendCaller("gateway", "doctor", now + profile.SessionDuration);
        var request = VendRequests.Make(profile, organization, caller, environment.Name, forgotten: null, identity: "", clients.StsAddress(profile.Region), now)!;
        var answer = await clients.Sts(profile.Region).AssumeRoleAsync(StsCalls.RequestOf(request), cancellation);
#pragma warning disable CS0618 // Its successor, SessionTokenUtilization, is not answered everywhere yet.
        var packed = answer.PackedPolicySize is { } size ? $", packed policy {size} % of what STS takes" : "";
#pragma warning restore CS0618
        return answer.Credentials?.Expiration is { } expiration
            ? string.Create(CultureInfo.InvariantCulture, $"{request.RoleArn}, until {expiration.ToUniversalTime():yyyy-MM-dd'T'HH:mm:ss'Z'}{packed}")
            : throw new VendingException(FailureClass.Unavailable, "the answer of sts:AssumeRole holds no credentials");
    }
}
