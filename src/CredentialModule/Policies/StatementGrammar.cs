using System.Text.RegularExpressions;

namespace IotCredentials.Policies;

/// <summary>
/// IAM's grammar of actions and resources in any statement. STS refuses a policy that breaks it, for every organization. Each method returns the problem as the
/// end of a sentence about its place; null if there is none.
/// </summary>
internal static partial class StatementGrammar
{
    public static string? ProblemOfAction(string action) =>
        Action().IsMatch(action) ? null : "is no action that IAM takes: write SERVICE:NAME with one colon, such as iot:Publish, or `*`.";

    public static string? ProblemOfResource(string resource)
    {
        if (resource == "*") return null;
        if (resource.Split(':', 4) is not ["arn", var partition, var service, _])
            return "is no resource that IAM takes: write an ARN, such as arn:{partition}:iot:{region}:{accountId}:topic/NAME, or `*`.";
        if (partition is not (RoleArnTemplate.OpenPartition or "*") && !AwsPartition.IsName(partition))
            return $"has `{partition}` as its partition: write {{partition}}, or one of {AwsPartition.Names}.";
        return Service().IsMatch(service) ? null : $"has `{service}` as its service: write iot. IAM takes no wildcard there.";
    }

    [GeneratedRegex(@"^(\*|(\*|[A-Za-z0-9.-]+):[^:]+)\z")]
    private static partial Regex Action();

    [GeneratedRegex(@"^[A-Za-z0-9.-]+\z")]
    private static partial Regex Service();
}
