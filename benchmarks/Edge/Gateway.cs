using Testing;

namespace Edge;

/// <summary>A published gateway in a process of its own, with its configuration folder.</summary>
internal sealed record Gateway(Server Server, string ManagementUrl, GatewayFolder Folder) : IDisposable
{
    public string Url => Server.Url;

    public void Dispose()
    {
        Server.Dispose();
        Folder.Dispose();
    }
}
