using System.Diagnostics;

namespace Testing;

/// <summary>A downstream service in a process of its own.</summary>
public sealed class ServiceProcess : ServerProcess
{
    private ServiceProcess()
    {
    }

    public string Url => $"http://127.0.0.1:{Port}/";

    public static async Task<ServiceProcess> StartAsync()
    {
        var service = new ServiceProcess();
        await service.RestartAsync();
        return service;
    }

    protected override Process Start() => StartBuilt("ServiceHost");
}
