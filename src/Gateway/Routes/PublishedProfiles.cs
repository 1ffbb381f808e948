using CredentialModule.Profiles;
using Gateway.Configuration;

namespace Gateway.Routes;

/// <summary>The profiles as they are published at the time.</summary>
internal sealed class PublishedProfiles(GatedConfigurationProvider gate) : ICurrentProfiles
{
    public ProfileBook Current => gate.Current.Profiles!;
}
