namespace Sandbox.IotDataPlane;

/// <summary>Finds the role session that has signed a request to the data plane.</summary>
internal sealed class RequestAuthentication(AwsEmulator aws)
{
    /// <summary>The session; otherwise AWS's reason for a 403.</summary>
    /// <param name="request">The request.</param>
    /// <param name="service">The service that the signature must be for.</param>
    /// <param name="signature">The signature; null if there is no readable one.</param>
    /// <param name="body">The request's body.</param>
    public (AwsSession? Session, string? Refusal) Authenticate(HttpRequest request, string service, AwsSignature? signature, byte[] body)
    {
        if (signature is null) return Refused(AwsSignatureProblem.Missing);
        if (signature.FindScopeError(request, service, aws.CheckSignatureDate ? aws.Time.GetUtcNow() : null) is { } scopeError) return (null, scopeError);
        var token = signature.IsQuery ? request.Query["X-Amz-Security-Token"].ToString() : request.Headers["X-Amz-Security-Token"].ToString();
        if (aws.FindSession(signature.AccessKeyId) is not { } session || session.Credentials.SessionToken != token)
            return Refused(AwsSignatureProblem.UnknownKey);
        // Every account and region has its own address at AWS. Here one address stands for all, so the region is that of the session's STS.
        if (signature.Region != session.Region) return (null, $"Credential should be scoped to a valid region, not '{signature.Region}'.");
        if (IsAwsName(request.Host.Host) && request.Host.Host != AwsEmulator.IotEndpoint(session.Credentials.Account, session.Region))
            return Refused(AwsSignatureProblem.UnknownKey);
        if (session.Credentials.Expiration <= aws.Time.GetUtcNow()) return Refused(AwsSignatureProblem.Expired);
        return signature.Matches(request, body, session.Credentials.SecretAccessKey) ? (session, null) : Refused(AwsSignatureProblem.DoesNotMatch);
    }

    private static (AwsSession?, string) Refused(AwsSignatureProblem problem) => (null, AwsProtocol.Iot.SignatureError(problem).Message);

    private static bool IsAwsName(string host) =>
        host.EndsWith(".amazonaws.com", StringComparison.OrdinalIgnoreCase) || host.EndsWith(".amazonaws.com.cn", StringComparison.OrdinalIgnoreCase);
}
