using Gateway.Configuration.Snapshots;
using IotCredentials.Profiles;

namespace Gateway.Routes;

/// <summary>Provides the profiles of the current snapshot.</summary>
internal sealed class SnapshotProfiles(SnapshotConfigurationProvider snapshots) : IProfileProvider
{
    public ProfileSet Current => snapshots.Current.Profiles!;
}
