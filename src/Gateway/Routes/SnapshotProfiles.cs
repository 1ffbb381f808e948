using IotCredentials.Profiles;
using Gateway.Configuration.Snapshots;

namespace Gateway.Routes;

/// <summary>Provides the profiles of the current snapshot.</summary>
internal sealed class SnapshotProfiles(SnapshotConfigurationProvider gate) : IProfileProvider
{
    public ProfileSet Current => gate.Current.Profiles!;
}
