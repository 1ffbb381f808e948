using Amazon.Runtime;
using IotCredentials.Failures;

namespace IotCredentials.Aws;

/// <summary>
/// Explains why the gateway's own credentials are not available, with the remedy. The SDK's messages are not used: they can hold the output of a program or a
/// peer.
/// </summary>
internal static class SourceFailure
{
    /// <summary>The failure that the error of a source stands for.</summary>
    /// <param name="error">The exception.</param>
    /// <param name="isOfHost">Whether the host has a source of its own.</param>
    /// <param name="sources">The source that the environment selects.</param>
    public static VendingException Of(Exception error, bool isOfHost, AwsSources sources)
    {
        if (error is VendingException known) return known;
        if (isOfHost) return Refused($"the host's source of AWS credentials fails: {FailureText.Of(error)}");
        if (sources.Problem is { } problem) return Refused(problem);

        var call = sources.Kind switch
        {
            AwsSourceKind.WebIdentity => "sts:AssumeRoleWithWebIdentity",
            AwsSourceKind.SingleSignOn => "sso:GetRoleCredentials",
            _ => "sts:AssumeRole",
        };
        if (ServiceErrorOf(error) is { } answered)
        {
            var (failure, code) = (AwsErrorMapper.ClassOf(answered), AwsErrorMapper.ServiceCodeOf(answered)!);
            var told = $"{call}: {(int)answered.StatusCode} {code}";
            // AWS throttles or is unavailable: the credentials are not the cause.
            return failure is not FailureClass.Refused ? new(failure, told) : Refused($"{RemedyOf(sources, code)} ({told})");
        }

        return sources.Kind switch
        {
            AwsSourceKind.WebIdentity => new(FailureClass.Unavailable, $"{call}: {FailureText.Of(error)}"),
            AwsSourceKind.SingleSignOn or AwsSourceKind.Process => Refused(RemedyOf(sources, "")),
            AwsSourceKind.Container => Refused($"the address in {sources.Name} does not hand out credentials: look at the agent behind it"),
            AwsSourceKind.InstanceMetadata => Refused(
                "no AWS credentials are configured (variables, a web identity, a profile, a container), and the instance metadata "
                + $"{(error is OperationCanceledException or TimeoutException ? "does not respond" : "has none")}: set a source, or give the instance a role"),
            _ => Refused($"{sources.Name} does not lead to credentials: {FailureText.Of(error)}"),
        };
    }

    private static VendingException Refused(string cause) => new(FailureClass.Credentials, cause);

    private static AmazonServiceException? ServiceErrorOf(Exception error)
    {
        for (var cause = error; cause is not null; cause = cause.InnerException)
        {
            if (cause is AmazonServiceException { StatusCode: not 0 } service && AwsErrorMapper.ServiceCodeOf(service) is not null) return service;
        }

        return null;
    }

    private static string RemedyOf(AwsSources sources, string code) => (sources.Kind, code) switch
    {
        (AwsSourceKind.WebIdentity, "ExpiredTokenException") => $"the token that {sources.Name} names has expired: look for what renews it",
        (AwsSourceKind.WebIdentity, "AccessDenied") =>
            $"the role's trust policy does not let in the token that {sources.Name} names: compare its conditions on sub and aud",
        (AwsSourceKind.WebIdentity, "IDPRejectedClaim") => $"the issuer of the token that {sources.Name} names rejects it",
        (AwsSourceKind.WebIdentity, "InvalidIdentityToken") =>
            $"AWS does not take the token that {sources.Name} names: the role's account needs an OpenID provider with its issuer and audience",
        (AwsSourceKind.WebIdentity, _) => AwsErrorMapper.ReasonOf(code)
            ?? $"AWS does not open a session for the token that {sources.Name} names: compare AWS_ROLE_ARN, AWS_REGION and the content of the token's file",
        (AwsSourceKind.SingleSignOn, _) => $"the sign-in of {sources.Name} has ended: run `aws sso login` as the gateway's user",
        (AwsSourceKind.Process, _) => $"the {sources.Name} does not print credentials: run it as the gateway's user",
        _ => $"{sources.Name} does not lead to credentials: the role that it names cannot be assumed",
    };
}
