namespace Sandbox;

/// <summary>A role with its own conditions. See <see cref="AwsEmulator.AddRole"/>.</summary>
/// <param name="Arn">The role's ARN.</param>
/// <param name="ExternalId">The external id that its trust policy requires; null: none.</param>
/// <param name="MaxSessionDuration">The longest session; null: the 12 hours that IAM allows at most.</param>
/// <param name="WebIdentitySubject">
/// The subject that its trust policy allows in AssumeRoleWithWebIdentity, of a provider from <see cref="AwsEmulator.AddIdentityProvider"/>; null: none.
/// </param>
/// <param name="Policy">Its permissions policy, as far as it concerns the data plane of AWS IoT; null: everything is allowed.</param>
public sealed record AwsRole(
    string Arn, string? ExternalId = null, TimeSpan? MaxSessionDuration = null, string? WebIdentitySubject = null, string? Policy = null);
