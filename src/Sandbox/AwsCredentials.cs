namespace Sandbox;

/// <summary>Credentials that <see cref="AwsEmulator"/> knows: a base key pair, or a role session that it granted.</summary>
/// <param name="AccessKeyId">The access key id: <c>AKIA…</c> for a base key, <c>ASIA…</c> for a session.</param>
/// <param name="SecretAccessKey">The secret key, 40 characters.</param>
/// <param name="SessionToken">The session token; null for a base key.</param>
/// <param name="Expiration">The end of a session, in whole seconds; null for a base key.</param>
/// <param name="Account">The account that a call signed with them belongs to.</param>
/// <param name="Arn">The ARN of the caller that signs with them, as GetCallerIdentity returns it.</param>
/// <param name="UserId">The caller's unique id, as GetCallerIdentity returns it.</param>
public sealed record AwsCredentials(
    string AccessKeyId, string SecretAccessKey, string? SessionToken, DateTimeOffset? Expiration, string Account, string Arn, string UserId)
{
    /// <summary>Names the caller and never the secrets.</summary>
    /// <returns>The access key id and the ARN.</returns>
    public override string ToString() => $"{AccessKeyId} ({Arn})";
}
