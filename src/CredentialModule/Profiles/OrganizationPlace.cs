namespace IotCredentials.Profiles;

/// <summary>Where an organization lives at AWS.</summary>
/// <param name="AccountId">The account, 12 digits.</param>
/// <param name="Region">The region.</param>
/// <param name="IotEndpoint">The AWS IoT data endpoint of account and region; null if it is not known.</param>
internal sealed record OrganizationPlace(string AccountId, string Region, string? IotEndpoint);
