namespace Gateway.Commands;

/// <summary>Who the gateway is to AWS, as far as the environment says it: the first two places where the AWS SDK looks.</summary>
internal static class AwsIdentity
{
    /// <summary>What vending would find; null when only a call can tell.</summary>
    public static string? Of(IReadOnlyDictionary<string, string?> variables)
    {
        if (Said("AWS_ACCESS_KEY_ID") is { } key && Said("AWS_SECRET_ACCESS_KEY") is not null)
            return Said("AWS_SESSION_TOKEN") is null ? key : null;
        // arn:PARTITION:iam::ACCOUNT:role/PATH/NAME; the session knows nothing of the path.
        return Said("AWS_WEB_IDENTITY_TOKEN_FILE") is not null && Said("AWS_ROLE_ARN")?.Split(':') is ["arn", var partition, "iam", "", var account, var resource]
            ? $"arn:{partition}:sts::{account}:assumed-role/{resource[(resource.LastIndexOf('/') + 1)..]}"
            : null;

        string? Said(string name) => variables.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;
    }
}
