using IotCredentials.Failures;
using IotCredentials.Policies;
using Microsoft.Extensions.FileProviders;

namespace IotCredentials.Profiles;

/// <summary>Reads one profile by AWS's limits; every problem is collected under the key that says it.</summary>
/// <param name="ids">The form of organization ids.</param>
/// <param name="files">The folder that templates are relative to.</param>
/// <param name="directory">The directory that decides where organizations live; null if there is none.</param>
/// <param name="options">The profile, with the organization's overrides.</param>
/// <param name="overrides">The organization's overrides alone: they take precedence over the directory. Null for a profile without an organization.</param>
/// <param name="report">Receives each problem, with its key.</param>
internal sealed class ProfileReader(
    OrganizationIdFormat ids, IFileProvider files, DirectoryOptions? directory, ProfileOptions options, ProfileOptions? overrides,
    Action<Severity, string, string> report)
{
    private static readonly TimeSpan s_leastRefreshAfter = TimeSpan.FromSeconds(1);
    private const int LargestTemplate = 64 * 1024;

    // An organization's own entry may name a longer region than the directory may.
    private readonly int? _longestRegion = directory is null ? null : Math.Max(directory.LongestRegion, options.Region?.Length ?? 0);
    private readonly TimeSpan _sessionDuration = options.SessionDuration ?? ProfileOptions.DefaultSessionDuration;
    private readonly TimeSpan _minimumLifetime = options.MinimumLifetime ?? ProfileOptions.DefaultMinimumLifetime;
    private readonly TimeSpan _refreshAfter = options.RefreshAfter ?? ProfileOptions.DefaultRefreshAfter;
    private int _errors;

    /// <summary>Reads the profile; null if there is an error.</summary>
    public ProfileTemplate? Read()
    {
        var role = Text(nameof(options.RoleArn), options.RoleArn, static (texts, key, text) => texts.ReadRoleArn(key, text));
        var externalId = options.ExternalId is null
            ? null
            : Text(nameof(options.ExternalId), options.ExternalId, static (texts, key, text) => texts.ReadExternalId(key, text));
        var tags = Text(nameof(options.SessionTags), options.SessionTags, static (texts, key, given) => texts.ReadTags(key, given));
        var endpointRole = options.EndpointRoleArn is null
            ? null
            : Text(nameof(options.EndpointRoleArn), options.EndpointRoleArn, static (texts, key, text) => texts.ReadRoleArn(key, text));
        CheckEndpoint(endpointRole);
        // With a directory, only the organization's own entry can make the call needless.
        var isLocated = directory is null || (role is { HasOpenAccount: false } && overrides is { RoleArn: not null, Region: not null });
        CheckRegion(isLocated);
        CheckTimes();
        var shared = SharedTopics.Read(
            options.SharedTopics ?? [], (index, finding) => Error($"{nameof(options.SharedTopics)}:{index}", $"{finding.Code}: {finding.Message}"));
        var isReadable = _errors == 0;
        var located = isReadable && isLocated ? role!.In(AwsPartition.Of(options.Region!).Name, role.AccountId) : null;
        var policy = isReadable ? ReadPolicy(located, shared) : options.SessionPolicy is null ? MissingPolicy() : null;
        if (located is not null) CheckPlace(located, endpointRole, policy);
        else if (isReadable) CheckDirectory(role!, endpointRole, policy);
        if (options.EndpointRoleArn is not null && options.IotEndpoint is null && externalId is { NamesOrganization: true })
        {
            report(Severity.Warning, nameof(options.EndpointRoleArn),
                "is assumed without an external id, since ExternalId names the organization: its trust policy must not ask for one.");
        }

        if (_errors > 0) return null;
        var isEntrys = overrides?.IotEndpoint is not null;
        var template = new ProfileTemplate
        {
            Role = role!,
            Region = isLocated ? options.Region : overrides?.Region,
            IotEndpoint = isEntrys ? options.IotEndpoint : null,
            FallbackEndpoint = isEntrys ? null : options.IotEndpoint,
            EndpointRole = endpointRole,
            SessionDuration = _sessionDuration,
            MinimumLifetime = _minimumLifetime,
            RefreshAfter = _refreshAfter,
            SessionPolicy = policy!,
            SessionTags = tags!,
            ExternalId = externalId,
            Scope = options.Scope ?? SessionScope.Organization,
            IsAccountChecked = overrides?.RoleArn is null,
        };
        return isLocated ? template.Fix() : template;
    }

    private void CheckEndpoint(RoleArnTemplate? endpointRole)
    {
        if (endpointRole is { Arn.NamesOrganization: true })
            Error(nameof(options.EndpointRoleArn), "holds a placeholder; the endpoint is an account's, not an organization's.");
        if (options.IotEndpoint is not null && Uri.CheckHostName(options.IotEndpoint) != UriHostNameType.Dns)
            Error(nameof(options.IotEndpoint), "is not a host name, such as abc-ats.iot.eu-west-1.amazonaws.com; leave it out to ask AWS IoT.");
    }

    private void CheckRegion(bool isNeeded)
    {
        if (options.Region is null && isNeeded)
            Error(nameof(options.Region), "is missing; name the AWS region, such as eu-west-1, or let IotCredentials:Directory name it.");
        else if (options.Region is not null && !AwsPartition.IsRegion(options.Region))
            Error(nameof(options.Region), "is not an AWS region, such as eu-west-1.");
    }

    private void CheckTimes()
    {
        if (_sessionDuration < StsLimits.ShortestSession || _sessionDuration > StsLimits.LongestSession
            || _sessionDuration.Ticks % TimeSpan.TicksPerSecond != 0)
        {
            Error(nameof(options.SessionDuration), "is not from 00:15:00 to 12:00:00 in whole seconds, which is what STS takes.");
        }
        else if (_sessionDuration > StsLimits.LongestChainedSession)
        {
            report(Severity.Warning, nameof(options.SessionDuration),
                "is over an hour: a gateway that itself runs as a role gets one hour at most (role chaining), "
                + "and the role's own maximum must allow it.");
        }

        if (_refreshAfter < s_leastRefreshAfter) Error(nameof(options.RefreshAfter), "is under 00:00:01.");
        if (_minimumLifetime < TimeSpan.Zero)
        {
            Error(nameof(options.MinimumLifetime), "is negative.");
        }
        else if (_minimumLifetime > _sessionDuration - _refreshAfter)
        {
            Error(nameof(options.MinimumLifetime),
                "is over SessionDuration less RefreshAfter: credentials would fall below it before they are renewed. Lower it, or renew earlier.");
        }
    }

    private void CheckPlace(RoleArnTemplate located, RoleArnTemplate? endpointRole, SessionPolicyTemplate? policy)
    {
        var region = options.Region!;
        foreach (var (key, message) in AwsPlaces.Find(located, region, options.IotEndpoint, EndpointRoleOf(located, endpointRole, region), policy))
            Error(key, message);
        if (_errors == 0 && AwsPlaces.PolicyWarning(located, region, policy!) is { } warning) report(Severity.Warning, nameof(options.SessionPolicy), warning);
    }

    private void CheckDirectory(RoleArnTemplate role, RoleArnTemplate? endpointRole, SessionPolicyTemplate? policy)
    {
        if (!role.HasOpenAccount && overrides?.RoleArn is null && !directory!.AllowsAccount(role.AccountId))
        {
            Error(nameof(options.RoleArn),
                $"is of the account {role.AccountId}, which IotCredentials:Directory:AllowedAccounts does not name: every response would be refused.");
        }

        if (options.IotEndpoint is not null && overrides?.IotEndpoint is null && role.HasOpenAccount && directory!.OnlyAccount is null)
        {
            Error(nameof(options.IotEndpoint),
                "belongs to one account, and IotCredentials:Directory may name several: leave it out, so that the directory or AWS IoT names each.");
        }

        if (options.IotEndpoint is null && role.HasOpenAccount && endpointRole is { HasOpenAccount: false } && directory!.OnlyAccount is null)
        {
            report(Severity.Warning, nameof(options.EndpointRoleArn),
                $"is of the account {endpointRole.AccountId}, and IotCredentials:Directory may name several: an organization of another account gets "
                + "503 if the directory names no endpoint for it. Write {accountId} for the account.");
        }

        // A response can name any of several regions. If none fits, the one with the fewest contradictions shows them best.
        var contradictions = RegionsOfResponses().Select(region => ContradictionsIn(region, role, endpointRole, policy).ToList())
            .MinBy(static found => found.Count);
        foreach (var (key, message) in contradictions ?? []) Error(key, message);
    }

    private IEnumerable<string> RegionsOfResponses()
    {
        if (overrides?.Region is { } own) return [own];
        // DirectoryRules reports the others.
        if (directory!.AllowedRegions is { Count: > 0 } allowed) return allowed.Where(static region => region is not null && AwsPartition.IsRegion(region));
        // With an endpoint, the endpoint role is not used, and nothing else contradicts every region.
        return options.IotEndpoint is null ? AwsPartition.OneRegionOfEach : [];
    }

    private IEnumerable<(string Key, string Message)> ContradictionsIn(
        string region, RoleArnTemplate role, RoleArnTemplate? endpointRole, SessionPolicyTemplate? policy)
    {
        var partition = AwsPartition.Of(region).Name;
        // An account that several responses decide contradicts none.
        var there = role.In(partition, directory!.OnlyAccount ?? endpointRole?.AccountId ?? RoleArnTemplate.OpenAccount);
        return AwsPlaces.Find(there, region, options.IotEndpoint, EndpointRoleOf(there, endpointRole, region), policy);
    }

    private static string? EndpointRoleOf(RoleArnTemplate located, RoleArnTemplate? endpointRole, string region) =>
        endpointRole is null ? null : ProfileTemplate.Render(endpointRole.In(located.Partition, located.AccountId), region);

    private SessionPolicyTemplate? ReadPolicy(RoleArnTemplate? located, SharedTopics shared)
    {
        const string key = nameof(options.SessionPolicy);
        if (options.SessionPolicy is not { } path) return MissingPolicy();
        var file = files.GetFileInfo(path);
        if (!file.Exists || file.IsDirectory)
        {
            Error(key, $"names {path}, which is not there; paths are relative to the configuration folder.");
            return null;
        }

        if (file.PhysicalPath is { } disk && SpecialFile.Is(disk))
        {
            Error(key, $"names {path}, which {SpecialFile.Problem}");
            return null;
        }

        if (file.Length > LargestTemplate)
        {
            Error(key, $"names {path}, which has {file.Length} bytes; no policy has more than {LargestTemplate}.");
            return null;
        }

        // The directory decides account and region later, so the longest of each must fit.
        var longest = located is not null
            ? new TemplateValues(ids.LongestId, located.AccountId, options.Region!, located.Partition)
            : AssumeRoleInputReader.LongestValues(ids, _longestRegion!.Value);
        using var content = new MemoryStream();
        using (var stream = file.CreateReadStream()) stream.CopyTo(content);
        var template = SessionPolicyTemplate.Parse(content.ToArray(), ids, shared, longest, out var findings);
        foreach (var finding in findings)
        {
            var message = $"{path}: {finding.Code}: {finding.Message}{(IsOfTheIds(finding) ? $" {ids.Description}" : "")}";
            if (finding.Severity == Severity.Error) Error(key, message);
            // The profile has the warning already.
            else if (overrides is null or { SessionPolicy: not null }) report(Severity.Warning, key, message);
        }

        return template;
    }

    private SessionPolicyTemplate? MissingPolicy()
    {
        Error(nameof(options.SessionPolicy), "is missing; name the session-policy template, such as policies/organization.json.");
        return null;
    }

    private TRead? Text<TGiven, TRead>(string key, TGiven? given, Func<AssumeRoleInputReader, string, TGiven, TRead?> read) where TRead : class
    {
        if (given is null)
        {
            Error(key, "is missing.");
            return null;
        }

        var findings = new List<Finding>();
        var result = read(new AssumeRoleInputReader(ids, findings, _longestRegion), key, given);
        foreach (var finding in findings) Error(key, finding.Message[(key.Length + 1)..]);
        return result;
    }

    private void Error(string key, string message)
    {
        _errors++;
        report(Severity.Error, key, message);
    }

    // These depend on what an organization id may look like: another form of the ids can be the remedy.
    private static bool IsOfTheIds(Finding finding) => finding.Code is FindingCode.NotClosed or FindingCode.Collision or FindingCode.SharedTopicOverlap;
}
