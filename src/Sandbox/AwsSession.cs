namespace Sandbox;

/// <summary>A role session of <see cref="AwsEmulator"/>, with the parameters that decide what it may do.</summary>
/// <param name="Credentials">Its credentials.</param>
/// <param name="Region">The region of the STS endpoint that granted it.</param>
/// <param name="Policies">The session policy and the role's own policy, as far as there are any. An action is denied unless each of them allows it.</param>
/// <param name="Tags">Its tags. Keys are compared ignoring case.</param>
internal sealed record AwsSession(
    AwsCredentials Credentials, string Region, IReadOnlyList<string> Policies, IReadOnlyDictionary<string, string> Tags);
