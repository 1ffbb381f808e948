using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;

namespace Gateway.Hosting;

/// <summary>
/// ASP.NET Core's data protection without its key ring, which it would write to the disk of every replica at start: what could need it here,
/// session affinity by an encrypted key, is refused as it would not survive a restart.
/// </summary>
internal static class NoKeyRing
{
    public static void UseNoKeyRing(this IDataProtectionBuilder protection)
    {
        protection.UseEphemeralDataProtectionProvider();
        protection.Services.Configure<KeyManagementOptions>(keys =>
        {
            keys.AutoGenerateKeys = false;
            keys.XmlRepository = new Empty();
        });
    }

    private sealed class Empty : IXmlRepository
    {
        public IReadOnlyCollection<XElement> GetAllElements() => [];

        public void StoreElement(XElement element, string friendlyName) { }
    }
}
