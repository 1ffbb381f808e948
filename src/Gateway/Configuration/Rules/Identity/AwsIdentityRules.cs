using System.Text.RegularExpressions;
using Amazon;
using Amazon.Runtime.Internal.Endpoints.StandardLibrary;

namespace Gateway.Configuration.Rules.Identity;

/// <summary>Checks the section IotCredentials:AwsIdentity.</summary>
internal static partial class AwsIdentityRules
{
    private const string Section = "IotCredentials:AwsIdentity";
    private const string RoleArn = $"{Section}:{nameof(AwsIdentityOptions.RoleArn)}";
    private const string Audience = $"{Section}:{nameof(AwsIdentityOptions.Audience)}";
    private const string ClientId = $"{Section}:{nameof(AwsIdentityOptions.ClientId)}";

    /// <summary>
    /// With Source Azure, RoleArn is a role of the partition of profiles and directory, Audience an application's identifier, and ClientId a GUID. With Source
    /// Default, none of them is set.
    /// </summary>
    public static void Check(RuleContext context)
    {
        if (context.Options.IotCredentials.AwsIdentity is not { } identity || context.HasErrorAt($"{Section}:{nameof(identity.Source)}")) return;
        if (identity.Source == AwsIdentitySource.Default)
        {
            foreach (var (key, value) in new[] { (RoleArn, identity.RoleArn), (Audience, identity.Audience), (ClientId, identity.ClientId) })
                if (value is not null) context.Error(key, "has no effect while Source is Default, the AWS SDK's chain. Write Azure there, or remove the key.");
            return;
        }

        CheckRole(context, identity.RoleArn);
        CheckAudience(context, identity.Audience);
        // The parser would take one with blanks around it.
        if (identity.ClientId is { } id && (id.Length != 36 || !Guid.TryParseExact(id, "D", out _)))
            context.Error(ClientId, $"is {Finding.Quote(id)}, and a client id is a GUID. Write the identity's client id, or leave it out.");
    }

    private static void CheckRole(RuleContext context, string? arn)
    {
        if (string.IsNullOrWhiteSpace(arn))
        {
            context.Error(RoleArn, "is required. Write the ARN of the role that the Azure identity assumes.");
        }
        else if (Role().Match(arn) is not { Success: true } role
            || RegionEndpoint.EnumerableAllRegions.All(region => region.PartitionName != role.Groups["partition"].Value))
        {
            context.Error(RoleArn, $"is {Finding.Quote(arn)}, and no role's ARN, such as arn:aws:iam::111122223333:role/iot-gateway.");
        }
        else
        {
            var own = role.Groups["partition"].Value;
            var (key, partition) = PartitionsOf(context.Options.IotCredentials).FirstOrDefault(other => other.Partition != own);
            if (key is not null)
                context.Error(RoleArn, $"is of the partition {own}, and IotCredentials:{key} of {partition}: sessions of one are none in the other.");
        }
    }

    private static IEnumerable<(string Key, string Partition)> PartitionsOf(IotCredentialsOptions module)
    {
        foreach (var (key, profile) in ProfilesOf(module))
        {
            if (profile.Region is { } region && Fn.Partition(region).name is { } partition) yield return (key, partition);
            // The directory may decide the partition.
            if (profile.RoleArn?.Split(':') is ["arn", not "{partition}" and var literal, ..]) yield return ($"{key}:{nameof(profile.RoleArn)}", literal);
        }

        foreach (var (index, region) in (module.Directory?.AllowedRegions ?? []).Index())
        {
            if (region is not null && Fn.Partition(region).name is { } partition)
                yield return ($"{nameof(module.Directory)}:{nameof(module.Directory.AllowedRegions)}:{index}", partition);
        }
    }

    // A configuration file can set null, or an object without members.
    private static IEnumerable<(string Key, ProfileOptions Profile)> ProfilesOf(IotCredentialsOptions module) =>
        module.Profiles.Select(static profile => ($"{nameof(module.Profiles)}:{profile.Key}", profile.Value))
            .Concat(module.Organizations.Select(static organization => ($"{nameof(module.Organizations)}:{organization.Key}", organization.Value)))
            .Where(static named => named.Value is not null);

    private static void CheckAudience(RuleContext context, string? audience)
    {
        if (string.IsNullOrWhiteSpace(audience))
        {
            context.Error(Audience, "is required. Write the Application ID URI of the application that the token is for, such as api://APPLICATION-ID.");
        }
        else if (audience.Any(char.IsWhiteSpace) || audience.EndsWith("/.default", StringComparison.OrdinalIgnoreCase))
        {
            context.Error(Audience,
                $"is {Finding.Quote(audience)}, and an Application ID URI has no blanks and does not end in /.default. Write it as api://APPLICATION-ID.");
        }
    }

    [GeneratedRegex(@"^arn:(?<partition>[a-z-]+):iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,576}\z")]
    private static partial Regex Role();
}
