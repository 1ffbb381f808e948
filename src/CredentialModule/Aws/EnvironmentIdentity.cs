namespace IotCredentials.Aws;

/// <summary>
/// The gateway's own AWS identity, as far as environment variables determine it. It covers the first two places that the AWS SDK searches.
/// </summary>
internal static class EnvironmentIdentity
{
    /// <summary>Returns the identity that vending would use, or null when it can only be found by calling AWS.</summary>
    public static string? Of(IReadOnlyDictionary<string, string?> variables)
    {
        if (Given("AWS_ACCESS_KEY_ID") is { } key && Given("AWS_SECRET_ACCESS_KEY") is not null)
            return Given("AWS_SESSION_TOKEN") is null ? key : null;
        // The format is arn:PARTITION:iam::ACCOUNT:role/PATH/NAME. The session's ARN does not contain the path.
        return Given("AWS_WEB_IDENTITY_TOKEN_FILE") is not null
            && Given("AWS_ROLE_ARN")?.Split(':') is ["arn", var partition, "iam", "", var account, var resource]
            ? $"arn:{partition}:sts::{account}:assumed-role/{resource[(resource.LastIndexOf('/') + 1)..]}"
            : null;

        string? Given(string name) => variables.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;
    }
}
