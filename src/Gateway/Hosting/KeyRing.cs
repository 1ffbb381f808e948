using Microsoft.AspNetCore.DataProtection;

namespace Gateway.Hosting;

/// <summary>
/// Runs ASP.NET Core's data protection with keys of this process alone. Only session affinity by an encrypted key would need kept ones, and validation rejects
/// that, because it would not survive a restart.
/// </summary>
internal static class KeyRing
{
    /// <summary>
    /// Removes the key ring, which each replica would write to its disk at start. To be called after every library has added its services.
    /// </summary>
    public static void RemoveKeyRing(this IServiceCollection services)
    {
        services.AddDataProtection().UseEphemeralDataProtectionProvider();
        var reader = services.Single(static service =>
            service.ServiceType == typeof(IHostedService) && service.ImplementationType?.Assembly == typeof(EphemeralDataProtectionProvider).Assembly);
        services.Remove(reader);
    }
}
