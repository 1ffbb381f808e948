using System.Text.RegularExpressions;
using IotCredentials.Policies;
using Microsoft.Extensions.FileProviders;

namespace IotCredentials.Profiles;

/// <summary>Reads one overlaid profile by AWS's limits; every problem is collected under the key that says it.</summary>
internal sealed partial class ProfileReader(OrganizationIdFormat ids, IFileProvider files, Action<Severity, string, string> report)
{
    // STS AssumeRole: DurationSeconds, 900 to 43,200.
    private static readonly TimeSpan s_shortestSession = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan s_longestSession = TimeSpan.FromHours(12);

    // STS AssumeRole: a role's own session may take on another role for one hour at most (role chaining).
    private static readonly TimeSpan s_longestChainedSession = TimeSpan.FromHours(1);
    private static readonly TimeSpan s_leastRefreshAfter = TimeSpan.FromSeconds(1);
    private const int LargestTemplate = 64 * 1024;

    public Profile? Read(ProfileOptions options)
    {
        var errors = 0;
        var sessionDuration = options.SessionDuration ?? ProfileOptions.DefaultSessionDuration;
        var minimumLifetime = options.MinimumLifetime ?? ProfileOptions.DefaultMinimumLifetime;
        var refreshAfter = options.RefreshAfter ?? ProfileOptions.DefaultRefreshAfter;

        var role = Text(nameof(options.RoleArn), options.RoleArn, static (texts, key, text) => texts.ReadRoleArn(key, text));
        var externalId = options.ExternalId is null
            ? null
            : Text(nameof(options.ExternalId), options.ExternalId, static (texts, key, text) => texts.ReadExternalId(key, text));
        var tags = Text(nameof(options.SessionTags), options.SessionTags, static (texts, key, given) => texts.ReadTags(key, given));
        if (options.EndpointRoleArn is { } endpointRole
            && Text(nameof(options.EndpointRoleArn), endpointRole, static (texts, key, text) => texts.ReadRoleArn(key, text))
                is { Arn.NamesOrganization: true })
            Error(nameof(options.EndpointRoleArn), "holds a placeholder; the endpoint is an account's, not an organization's.");
        if (options.Region is null || !Region().IsMatch(options.Region))
            Error(
                nameof(options.Region),
                options.Region is null ? "is missing; name the AWS region, such as eu-west-1." : "is no AWS region, such as eu-west-1.");
        if (options.IotEndpoint is not null && Uri.CheckHostName(options.IotEndpoint) != UriHostNameType.Dns)
            Error(nameof(options.IotEndpoint), "is no host name, such as abc-ats.iot.eu-west-1.amazonaws.com; leave it out to ask AWS IoT.");
        CheckTimes();
        var shared = SharedTopics.Read(
            options.SharedTopics ?? [], (index, finding) => Error($"{nameof(options.SharedTopics)}:{index}", $"{finding.Code}: {finding.Message}"));
        if (errors == 0)
            foreach (var (key, message) in AwsPlaces.Find(options, role!)) Error(key, message);
        if (options.EndpointRoleArn is not null && options.IotEndpoint is null && externalId is { NamesOrganization: true })
        {
            report(Severity.Warning, nameof(options.EndpointRoleArn),
                "is assumed without an external id, since ExternalId names the organization: its trust policy must not ask for one.");
        }

        var policy = errors == 0 ? ReadPolicy(options, role!, shared) : options.SessionPolicy is null ? Missing(nameof(options.SessionPolicy)) : null;
        return errors > 0 ? null : new Profile
        {
            Role = role!,
            Region = options.Region!,
            IotEndpoint = options.IotEndpoint,
            EndpointRoleArn = options.EndpointRoleArn,
            SessionDuration = sessionDuration,
            MinimumLifetime = minimumLifetime,
            RefreshAfter = refreshAfter,
            SessionPolicy = policy!,
            SessionTags = tags!,
            ExternalId = externalId,
            Scope = options.Scope ?? SessionScope.Organization,
        };

        void Error(string key, string message)
        {
            errors++;
            report(Severity.Error, key, message);
        }

        SessionPolicyTemplate? Missing(string key)
        {
            Error(key, "is missing; name the session-policy template, such as policies/organization.json.");
            return null;
        }

        TRead? Text<TGiven, TRead>(string key, TGiven? given, Func<AssumeRoleInputReader, string, TGiven, TRead?> read) where TRead : class
        {
            if (given is null)
            {
                Error(key, "is missing.");
                return null;
            }

            var findings = new List<Finding>();
            var result = read(new AssumeRoleInputReader(ids, findings), key, given);
            foreach (var finding in findings) Error(key, finding.Message[(key.Length + 1)..]);
            return result;
        }

        void CheckTimes()
        {
            if (sessionDuration < s_shortestSession || sessionDuration > s_longestSession || sessionDuration.Ticks % TimeSpan.TicksPerSecond != 0)
            {
                Error(nameof(options.SessionDuration), "is not from 00:15:00 to 12:00:00 in whole seconds, which is what STS takes.");
            }
            else if (sessionDuration > s_longestChainedSession)
            {
                report(Severity.Warning, nameof(options.SessionDuration),
                    "is over an hour: a gateway that itself runs as a role gets one hour at most (role chaining), "
                    + "and the role's own maximum must allow it.");
            }

            if (refreshAfter < s_leastRefreshAfter) Error(nameof(options.RefreshAfter), "is under 00:00:01.");
            if (minimumLifetime < TimeSpan.Zero)
            {
                Error(nameof(options.MinimumLifetime), "is negative.");
            }
            else if (minimumLifetime > sessionDuration - refreshAfter)
            {
                Error(nameof(options.MinimumLifetime),
                    "is over SessionDuration less RefreshAfter: credentials would fall below it before they are renewed. Lower it, or renew earlier.");
            }
        }

        SessionPolicyTemplate? ReadPolicy(ProfileOptions given, RoleArnTemplate of, SharedTopics sharedTopics)
        {
            const string key = nameof(given.SessionPolicy);
            if (given.SessionPolicy is not { } path) return Missing(key);
            var file = files.GetFileInfo(path);
            if (!file.Exists || file.IsDirectory)
            {
                Error(key, $"names {path}, which is not there; paths are relative to the configuration folder.");
                return null;
            }

            if (file.Length > LargestTemplate)
            {
                Error(key, $"names {path}, which has {file.Length} bytes; no policy has more than {LargestTemplate}.");
                return null;
            }

            using var content = new MemoryStream();
            using (var stream = file.CreateReadStream()) stream.CopyTo(content);
            var longest = new TemplateValues(ids.LongestId, of.AccountId, given.Region!, of.Partition);
            var template = SessionPolicyTemplate.Parse(content.ToArray(), ids, sharedTopics, longest, out var findings);
            foreach (var finding in findings) Error(key, $"{path}: {finding.Code}: {finding.Message}{(IsOfTheIds(finding) ? $" {ids.Description}" : "")}");
            return template;
        }
    }

    // These depend on what an organization id may look like: another form of the ids can be the remedy.
    private static bool IsOfTheIds(Finding finding) => finding.Code is FindingCode.NotClosed or FindingCode.Collision or FindingCode.SharedTopicOverlap;

    [GeneratedRegex("^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$")]
    private static partial Regex Region();
}
