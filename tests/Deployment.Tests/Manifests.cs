using System.Collections.Concurrent;
using k8s;
using k8s.Models;
using Xunit;

namespace Deployment.Tests;

/// <summary>The objects that an overlay of <c>deploy/kubernetes</c> renders to, read strictly: an unknown member is an error.</summary>
internal sealed class Manifests
{
    private static readonly ConcurrentDictionary<string, Lazy<Task<Manifests>>> s_rendered = new();
    private static readonly Dictionary<string, Type> s_types = new() { ["monitoring.coreos.com/v1/ServiceMonitor"] = typeof(ServiceMonitor) };

    private readonly IReadOnlyList<object> _objects;

    private Manifests(IReadOnlyList<object> objects) => _objects = objects;

    public V1Deployment Deployment => Single<V1Deployment>();

    public V1PodSpec Pod => Deployment.Spec.Template.Spec;

    public V1Container Container => Pod.Containers.Single();

    public static Task<Manifests> OfAsync(string overlay) => s_rendered.GetOrAdd(overlay, static name => new(() => RenderAsync(name))).Value;

    public static IReadOnlyList<object> Read(string yaml) => KubernetesYaml.LoadAllFromString(yaml, s_types, strict: true);

    public T Single<T>() => _objects.OfType<T>().Single();

    public IEnumerable<T> All<T>() => _objects.OfType<T>();

    private static async Task<Manifests> RenderAsync(string overlay)
    {
        var rendered = await Tool.RunAsync(Tool.Kubectl, ["kustomize", Tool.Deploy("kubernetes", "overlays", overlay)]);
        Assert.Equal((0, ""), (rendered.ExitCode, rendered.Error));
        return new(Read(rendered.Output));
    }
}

/// <summary>The members of the Prometheus operator's ServiceMonitor that are used here.</summary>
internal sealed class ServiceMonitor
{
    public string? ApiVersion { get; set; }

    public string? Kind { get; set; }

    public V1ObjectMeta? Metadata { get; set; }

    public ServiceMonitorSpec Spec { get; set; } = new();
}

internal sealed class ServiceMonitorSpec
{
    public string? JobLabel { get; set; }

    public V1LabelSelector Selector { get; set; } = new();

    public IList<ServiceMonitorEndpoint> Endpoints { get; set; } = [];
}

internal sealed class ServiceMonitorEndpoint
{
    public string? Port { get; set; }

    public string? Path { get; set; }

    public string? Interval { get; set; }
}
