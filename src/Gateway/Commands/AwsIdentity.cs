namespace Gateway.Commands;

/// <summary>
/// The gateway's own AWS identity, as far as environment variables determine it. It covers the first two places that the AWS SDK searches.
/// </summary>
internal static class AwsIdentity
{
    /// <summary>Returns the identity that vending would use, or null when it can only be found by calling AWS.</summary>
    public static string? Of(IReadOnlyDictionary<string, string?> variables)
    {
        if (Said("AWS_ACCESS_KEY_ID") is { } key && Said("AWS_SECRET_ACCESS_KEY") is not null)
            return Said("AWS_SESSION_TOKEN") is null ? key : null;
        // The format is arn:PARTITION:iam::ACCOUNT:role/PATH/NAME. The session's ARN does not contain the path.
        return Said("AWS_WEB_IDENTITY_TOKEN_FILE") is not null && Said("AWS_ROLE_ARN")?.Split(':') is ["arn", var partition, "iam", "", var account, var resource]
            ? $"arn:{partition}:sts::{account}:assumed-role/{resource[(resource.LastIndexOf('/') + 1)..]}"
            : null;

        string? Said(string name) => variables.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;
    }
}
