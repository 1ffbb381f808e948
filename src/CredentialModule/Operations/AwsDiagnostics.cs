using System.Globalization;
using Amazon.Runtime;
using Amazon.SecurityToken.Model;
using IotCredentials.Aws;
using IotCredentials.Failures;
using IotCredentials.OrganizationDirectory;
using IotCredentials.Profiles;
using IotCredentials.Vending;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace IotCredentials.Operations;

/// <summary>One check of a dependency, which the host runs under a timeout of its own.</summary>
/// <param name="Name">The name of the check.</param>
/// <param name="IsNeeded">Whether routes need the dependency to serve.</param>
/// <param name="RunAsync">
/// Runs the check and returns what was found, without secrets. It throws a <see cref="VendingException"/> whose message is the cause and the remedy.
/// </param>
public sealed record DiagnosticCheck(string Name, bool IsNeeded, Func<DiagnosticProgress, CancellationToken, Task<string>> RunAsync);

/// <summary>The operation that a check is waiting for, to be reported if the check times out.</summary>
public sealed class DiagnosticProgress
{
    private volatile string? _waitsFor;

    /// <summary>The operation in words; null if it needs no words of its own.</summary>
    public string? WaitsFor
    {
        get => _waitsFor;
        set => _waitsFor = value;
    }
}

/// <summary>
/// Checks AWS with the module's own clients: the host's own identity, the IoT endpoints that must be looked up, and a trial session if an organization is
/// given.
/// </summary>
public sealed class AwsDiagnostics
{
    private const string Searching =
        "the AWS SDK found no credentials in the environment's variables, a web identity, a profile or a container, and the last place, "
        + "the instance metadata, does not respond";

    private const string NoCredentials = "the response of sts:AssumeRole holds no credentials";

    private readonly AwsClients _clients;
    private readonly OwnCredentials _own;
    private readonly StsCircuitBreaker _circuit;
    private readonly DescribeEndpointClient _iot;
    private readonly DirectoryClient _directory;
    private readonly IOptions<AwsClientOptions> _options;
    private readonly IHostEnvironment _host;
    private readonly TimeProvider _time;

    internal AwsDiagnostics(
        AwsClients clients, OwnCredentials own, StsCircuitBreaker circuit, DescribeEndpointClient iot, DirectoryClient directory,
        IOptions<AwsClientOptions> options, IHostEnvironment host, TimeProvider time) =>
        (_clients, _own, _circuit, _iot, _directory, _options, _host, _time) = (clients, own, circuit, iot, directory, options, host, time);

    /// <summary>The reason why AWS rejects the host's own credentials, and the remedy; null while AWS accepts them, as far as is known.</summary>
    public string? CredentialsProblem => _own.Problem;

    /// <summary>
    /// The regions in which STS kept failing when it was last called, and how; null if there are none. Cached credentials are still served.
    /// </summary>
    public string? StsProblem => _circuit.Problem;

    /// <summary>
    /// The checks of some profiles. The directory is asked where the organization lives. Without an organization, each profile that depends on the directory
    /// gets one check, which says so; if the directory does not say it, the profile gets none.
    /// </summary>
    /// <param name="profiles">The profiles.</param>
    /// <param name="needed">The names of those that routes vend with.</param>
    /// <param name="organization">An organization to request a session for; null to request none.</param>
    /// <param name="variables">The environment variables that determine the source of the host's credentials.</param>
    /// <param name="cancellation">Ends the wait for the directory.</param>
    public async Task<IReadOnlyList<DiagnosticCheck>> ChecksOfAsync(
        ProfileSet profiles, IReadOnlySet<string> needed, OrganizationId? organization, IReadOnlyDictionary<string, string?> variables,
        CancellationToken cancellation)
    {
        var templates = profiles.Names.Select(name => (Name: name, Template: profiles.Find(name, organization)!)).ToList();
        var place = templates.Exists(static one => one.Template.Located is null) ? await FindPlaceAsync(organization, cancellation) : null;
        var all = new List<(string Name, Profile Profile, bool IsNeeded)>();
        var checks = new List<DiagnosticCheck>();
        foreach (var (name, template) in templates)
        {
            string? problem = null;
            if ((template.Located ?? (place is null ? null : template.At(place, out problem))) is { } located)
                all.Add((name, located, needed.Contains(name)));
            else if (problem is not null)
                checks.Add(NotChecked(name, needed.Contains(name), $"the directory's response {problem}"));
            else if (organization is null)
                // Nothing is known to fail, so this is a warning.
                checks.Add(NotChecked(name, isNeeded: false, "not checked: name an organization with --organization"));
        }

        foreach (var region in all.GroupBy(static one => one.Profile.Region, StringComparer.Ordinal))
            checks.Add(Check(
                $"STS {region.Key}", region.Any(static one => one.IsNeeded), cancellation => DescribeCallerAsync(region.Key, variables, cancellation)));
        foreach (var (name, profile, isNeeded) in all.Where(static one => one.Profile.IotEndpoint is null))
            checks.Add(Check($"IoT endpoint of {name}", isNeeded, cancellation => FindEndpointAsync(profile, cancellation)));
        foreach (var (name, profile, isNeeded) in all.Where(one => one.IsNeeded && organization is not null))
            checks.Add(Check($"AssumeRole of {name} for {organization}", isNeeded, cancellation => AssumeRoleAsync(profile, organization!, cancellation)));
        return checks;

        static DiagnosticCheck NotChecked(string profile, bool isNeeded, string reason) =>
            new($"AWS for {profile}", isNeeded, (_, _) => Task.FromException<string>(new VendingException(FailureClass.Refused, reason)));

        DiagnosticCheck Check(string name, bool isNeeded, Func<CancellationToken, Task<string>> run) => new(name, isNeeded, async (progress, cancellation) =>
        {
            var sources = IsOfHost ? null : AwsSources.Of(variables);
            // If the environment has no credential source, this message is clearer than the error of a call without credentials.
            if (sources?.Problem is { } problem) throw new VendingException(FailureClass.Credentials, problem);
            progress.WaitsFor = sources?.Kind switch
            {
                AwsSourceKind.InstanceMetadata => Searching,
                AwsSourceKind.Container => $"{sources.Name} does not lead to credentials in that time: the agent behind it is silent, or refuses, "
                    + "and the AWS SDK asks again; a longer --timeout tells which",
                _ => $"{sources?.Name ?? _options.Value.CredentialsName} does not lead to credentials in that time",
            };
            await _own.FindAsync(cancellation);
            progress.WaitsFor = null;
            return await run(cancellation);
        });
    }

    private async Task<OrganizationPlace?> FindPlaceAsync(OrganizationId? organization, CancellationToken cancellation)
    {
        try
        {
            return organization is null ? null : await _directory.AskAsync(organization, cancellation);
        }
        catch (Exception e) when (e is VendingException or OperationCanceledException)
        {
            // The directory has a check of its own, which says it.
            return null;
        }
    }

    private bool IsOfHost => _options.Value.Credentials is not null;

    private async Task<string> DescribeCallerAsync(string region, IReadOnlyDictionary<string, string?> variables, CancellationToken cancellation)
    {
        var caller = await GetCallerAsync(region, cancellation);
        return $"account {caller.Account}, {caller.Arn}, by {(IsOfHost ? _options.Value.CredentialsName : AwsSources.Of(variables).Name)}";
    }

    private Task<GetCallerIdentityResponse> GetCallerAsync(string region, CancellationToken cancellation) => _own.UseAsync(
        region, "sts:GetCallerIdentity", _clients.StsUrl(region),
        async credentials =>
        {
            using var sts = _clients.Sts(region, credentials);
            return await sts.GetCallerIdentityAsync(new GetCallerIdentityRequest(), cancellation);
        },
        cancellation);

    private async Task<string> FindEndpointAsync(Profile profile, CancellationToken cancellation)
    {
        var endpoint = await _iot.DescribeEndpointAsync(profile, cancellation);
        if (profile.EndpointRoleArn is not null) return endpoint;
        var account = (await GetCallerAsync(profile.Region, cancellation)).Account;
        return account == profile.Role.AccountId ? endpoint : throw new VendingException(
            FailureClass.Refused,
            $"AWS IoT names the endpoint of the account {account}, the gateway's own, and RoleArn is of {profile.Role.AccountId}: "
            + "name EndpointRoleArn or IotEndpoint");
    }

    /// <summary>Opens a session for a trial: the request, the endpoint and the place are those of vending, but nothing is cached.</summary>
    /// <param name="profiles">The profiles.</param>
    /// <param name="profile">The name of one of them.</param>
    /// <param name="organization">The organization.</param>
    /// <param name="cancellation">Ends the wait for AWS and for the directory.</param>
    /// <exception cref="VendingException">There is no session; the message is the cause and the remedy.</exception>
    /// <exception cref="ArgumentException">There is no profile of that name.</exception>
    public async Task<TrialSession> OpenSessionAsync(
        ProfileSet profiles, string profile, OrganizationId organization, CancellationToken cancellation)
    {
        var template = profiles.Find(profile, organization) ?? throw new ArgumentException($"There is no profile {profile}.", nameof(profile));
        var located = template.Located ?? await LocateAsync(template, organization, cancellation);
        var endpoint = located.IotEndpoint ?? await FindEndpointAsync(located, cancellation);
        var (request, response) = await RequestSessionAsync(located, organization, cancellation);
        return new()
        {
            Organization = organization,
            Credentials = response.Credentials is { AccessKeyId: { } id, SecretAccessKey: { } secret, SessionToken: { } token }
                ? new ImmutableCredentials(id, secret, token)
                : throw new VendingException(FailureClass.Unavailable, NoCredentials),
            AccountId = located.Role.AccountId,
            Region = located.Region,
            IotEndpoint = endpoint,
            Policy = request.SessionPolicy,
            SharedTopics = [.. located.SessionPolicy.Shared.All.Select(static topic => topic.Arn.Name)],
        };
    }

    private async Task<Profile> LocateAsync(ProfileTemplate template, OrganizationId organization, CancellationToken cancellation)
    {
        var place = await _directory.AskAsync(organization, cancellation)
            ?? throw new VendingException(FailureClass.Refused, $"the directory does not know {organization} (404)");
        return template.At(place, out var problem) ?? throw new VendingException(FailureClass.Refused, $"the directory's response {problem}");
    }

    private async Task<string> AssumeRoleAsync(Profile profile, OrganizationId organization, CancellationToken cancellation)
    {
        var (request, response) = await RequestSessionAsync(profile, organization, cancellation);
#pragma warning disable CS0618 // The successor, SessionTokenUtilization, is not returned everywhere yet.
        var packed = response.PackedPolicySize is { } size ? $", packed policy {size} % of what STS takes" : "";
#pragma warning restore CS0618
        return response.Credentials?.Expiration is { } expiration
            ? string.Create(CultureInfo.InvariantCulture, $"{request.RoleArn}, until {expiration.ToUniversalTime():yyyy-MM-dd'T'HH:mm:ss'Z'}{packed}")
            : throw new VendingException(FailureClass.Unavailable, NoCredentials);
    }

    private async Task<(AssumeRoleParameters Request, AssumeRoleResponse Response)> RequestSessionAsync(
        Profile profile, OrganizationId organization, CancellationToken cancellation)
    {
        var now = _time.GetUtcNow();
        // If sessions belong to a caller, this check is the caller.
        var caller = new CallerClaims("gateway", "doctor", now + profile.SessionDuration);
        var request = VendContextFactory.CreateParameters(
            profile, organization, caller, _host.EnvironmentName, generation: null, identity: "", _clients.StsAddress(profile.Region), now)!;
        var response = await _own.UseAsync(
            profile.Region, "sts:AssumeRole", _clients.StsUrl(profile.Region),
            async credentials =>
            {
                using var sts = _clients.Sts(profile.Region, credentials);
                return await sts.AssumeRoleAsync(AssumeRoleClient.RequestOf(request), cancellation);
            },
            cancellation);
        return (request, response);
    }
}
