using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;

namespace Gateway.Hosting;

/// <summary>
/// Runs ASP.NET Core's data protection without its key ring, which it would write to the disk of every replica at start. Only session affinity by an encrypted
/// key would need it, and validation rejects that, because it would not survive a restart.
/// </summary>
internal static class KeyPersistence
{
    public static void DisableKeyPersistence(this IDataProtectionBuilder protection)
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
