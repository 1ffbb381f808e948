using Gateway.Networking;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Gateway.Hosting;

/// <summary>Adds TLS from Kestrel's own section, with certificates that are renewed while it listens.</summary>
internal static class TlsExtensions
{
    public static void AddTls(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<ServerCertificates>();
        builder.Services.AddHostedService(services => services.GetRequiredService<ServerCertificates>());
        builder.Services.AddOptions<KestrelServerOptions>().Configure<ServerCertificates>((kestrel, certificates) =>
        {
            // By default Kestrel would read its section again on every change of the configuration, and rebind changed endpoints.
            var section = builder.Configuration.GetSection("Kestrel");
            kestrel.Configure(section, reloadOnChange: false).AddServerNames(section);
            kestrel.ConfigureHttpsDefaults(https => https.OnAuthenticate = (_, options) => certificates.Renew(options));
        });
    }
}
