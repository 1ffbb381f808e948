using System.Globalization;
using k8s.Models;
using Testing;
using Xunit;

namespace Deployment.Tests;

public sealed class KubernetesTests
{
    public static TheoryData<string> Overlays => ["aws", "azure"];

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Every_object_has_only_members_that_Kubernetes_knows(string overlay)
    {
        var manifests = await Manifests.OfAsync(overlay);

        Assert.Equal(
            "ConfigMap ConfigMap Deployment HorizontalPodAutoscaler Namespace NetworkPolicy PodDisruptionBudget Service Service ServiceAccount ServiceMonitor",
            string.Join(' ', manifests.All<object>().Select(static item => (string)((dynamic)item).Kind).Order(StringComparer.Ordinal)));
    }

    [Theory]
    [InlineData("spec:\n  replica: 2")]
    [InlineData("spec:\n  template:\n    spec:\n      securityContext: { runAsNonroot: true }")]
    [InlineData("spec:\n  template:\n    spec:\n      containers:\n        - name: gateway\n          readynessProbe: {}")]
    public void A_misspelt_member_is_refused_at_every_depth(string spec)
    {
        Assert.ThrowsAny<Exception>(() => Manifests.Read($"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{ name: a }}\n{spec}\n"));
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task The_gateway_accepts_the_mounted_configuration_and_its_variables(string overlay)
    {
        var manifests = await Manifests.OfAsync(overlay);
        var root = Directory.CreateTempSubdirectory("pod-").FullName;
        try
        {
            foreach (var mount in manifests.Container.VolumeMounts) Mount(manifests, mount, root);

            await GatewayCheck.PassesAsync(root + Variable(manifests, "GATEWAY_CONFIG"), Variables(manifests, root));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task The_pod_meets_the_restricted_standard_and_cannot_write_its_root_file_system(string overlay)
    {
        var manifests = await Manifests.OfAsync(overlay);
        var (pod, container) = (manifests.Pod.SecurityContext, manifests.Container.SecurityContext);

        Assert.Equal("restricted", manifests.Single<V1Namespace>().Metadata.Labels["pod-security.kubernetes.io/enforce"]);
        Assert.True(pod.RunAsNonRoot);
        Assert.True(pod.RunAsUser > 0 && pod.RunAsGroup > 0);
        Assert.Equal("RuntimeDefault", pod.SeccompProfile.Type);
        Assert.False(container.AllowPrivilegeEscalation);
        Assert.True(container.ReadOnlyRootFilesystem);
        Assert.Equal(["ALL"], container.Capabilities.Drop);
        Assert.Null(container.Capabilities.Add);
        Assert.All(manifests.Container.VolumeMounts, static mount => Assert.True(mount.ReadOnlyProperty));
        Assert.False(manifests.Pod.AutomountServiceAccountToken);
        Assert.False(manifests.Single<V1ServiceAccount>().AutomountServiceAccountToken);
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task A_replica_has_time_to_drain(string overlay)
    {
        var manifests = await Manifests.OfAsync(overlay);
        var (delay, timeout) = (Duration(manifests, "Shutdown__Delay"), Duration(manifests, "Shutdown__Timeout"));
        var readiness = manifests.Container.ReadinessProbe;

        Assert.True(manifests.Pod.TerminationGracePeriodSeconds >= (delay + timeout).TotalSeconds + 5);
        // Ingresses and load balancers that probe readiness themselves notice within the delay, too.
        Assert.True(delay.TotalSeconds > readiness.PeriodSeconds * readiness.FailureThreshold);
        Assert.Equal("0", manifests.Deployment.Spec.Strategy.RollingUpdate.MaxUnavailable.Value);
    }

    // A pod that requests less than its limit is killed first when its node is full. docs/scale.md and docs/performance.md have the figures.
    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task A_replica_has_room_for_full_caches_and_a_command(string overlay)
    {
        var manifests = await Manifests.OfAsync(overlay);
        var (request, limit) = (manifests.Container.Resources.Requests["memory"].ToInt64(), manifests.Container.Resources.Limits["memory"].ToInt64());

        Assert.Equal(limit, request);
        Assert.True(limit >= 1L << 30);
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Every_selector_finds_the_pods(string overlay)
    {
        var manifests = await Manifests.OfAsync(overlay);
        var labels = manifests.Deployment.Spec.Template.Metadata.Labels;
        var monitor = manifests.Single<ServiceMonitor>();
        IDictionary<string, string>[] selectors =
        [
            manifests.Deployment.Spec.Selector.MatchLabels,
            manifests.Single<V1PodDisruptionBudget>().Spec.Selector.MatchLabels,
            .. manifests.Pod.TopologySpreadConstraints.Select(static spread => spread.LabelSelector.MatchLabels),
            .. manifests.All<V1Service>().Select(static service => service.Spec.Selector),
        ];

        Assert.All(selectors, selector => Assert.True(selector.Count > 0 && selector.All(labels.Contains)));
        var scraped = Assert.Single(manifests.All<V1Service>(), service => monitor.Spec.Selector.MatchLabels.All(service.Metadata.Labels.Contains));
        Assert.Contains(scraped.Spec.Ports, port => port.Name == Assert.Single(monitor.Spec.Endpoints).Port);
        Assert.Equal(manifests.Deployment.Metadata.Name, manifests.Single<V2HorizontalPodAutoscaler>().Spec.ScaleTargetRef.Name);
        Assert.Null(manifests.Deployment.Spec.Replicas);
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Clients_reach_the_public_port_alone_and_the_pod_no_metadata_service(string overlay)
    {
        var manifests = await Manifests.OfAsync(overlay);
        var ports = manifests.Container.Ports.ToDictionary(static port => port.Name, static port => port.ContainerPort);
        var service = Assert.Single(manifests.All<V1Service>(), static service => service.Metadata.Name == "iot-gateway");
        var policy = manifests.Single<V1NetworkPolicy>().Spec;
        var open = policy.Ingress.ToDictionary(
            static rule => Assert.Single(rule.Ports).Port.Value,
            static rule => string.Join(' ', rule.FromProperty.Select(static from => from.NamespaceSelector.MatchLabels["kubernetes.io/metadata.name"])));

        Assert.Equal(new Dictionary<string, int> { ["http"] = 8080, ["management"] = 9090 }, ports);
        Assert.Equal("http", Assert.Single(service.Spec.Ports).TargetPort.Value);
        Assert.Equal(new Dictionary<string, string> { ["http"] = "ingress", ["management"] = "monitoring" }, open);
        Assert.Equal(["Ingress", "Egress"], policy.PolicyTypes);
        Assert.Empty(policy.PodSelector.MatchLabels ?? new Dictionary<string, string>());
        Assert.All(policy.Egress, static rule => Assert.NotEmpty(rule.To));
        // A node-local DNS cache has a link-local address, as metadata services do on other ports.
        var dns = Assert.Single(policy.Egress, static rule => rule.To.Any(static to => to.IpBlock?.Cidr == "169.254.0.0/16"));
        Assert.All(dns.Ports, static port => Assert.Equal("53", port.Port.Value));
        foreach (var block in policy.Egress.Where(rule => rule != dns).SelectMany(static rule => rule.To).Select(static to => to.IpBlock).OfType<V1IPBlock>())
        {
            var network = System.Net.IPNetwork.Parse(block.Cidr);
            var except = (block.Except ?? []).Select(static text => System.Net.IPNetwork.Parse(text)).ToList();
            foreach (var metadata in (string[])["169.254.169.254", "169.254.170.2", "fd00:ec2::254"])
            {
                var address = System.Net.IPAddress.Parse(metadata);
                Assert.False(network.Contains(address) && !except.Exists(excluded => excluded.Contains(address)), $"{block.Cidr} holds {metadata}");
            }
        }
    }

    [Theory]
    [InlineData("aws", "6379")]
    [InlineData("azure", "10000 8500-8599")]
    public async Task The_pod_reaches_each_port_that_its_Redis_may_name(string overlay, string expected)
    {
        var manifests = await Manifests.OfAsync(overlay);

        var rule = manifests.Single<V1NetworkPolicy>().Spec.Egress[^1];

        Assert.Equal(expected, string.Join(' ', rule.Ports.Select(static port => port.EndPort is { } end ? $"{port.Port.Value}-{end}" : port.Port.Value)));
        Assert.All(rule.To, static to => Assert.Matches("^10[.]", to.IpBlock.Cidr));
    }

    [Theory]
    [InlineData("aws", "sts.amazonaws.com", "AWS_WEB_IDENTITY_TOKEN_FILE")]
    [InlineData("azure", "api://AzureADTokenExchange", "AZURE_FEDERATED_TOKEN_FILE")]
    public async Task The_only_token_of_the_service_account_is_for_the_cloud_and_its_variable_names_its_file(string overlay, string audience, string variable)
    {
        var manifests = await Manifests.OfAsync(overlay);
        var tokens =
            from volume in manifests.Pod.Volumes
            from source in volume.Projected?.Sources ?? []
            where source.ServiceAccountToken is not null
            select (volume.Name, source.ServiceAccountToken.Audience, source.ServiceAccountToken.Path);

        var token = Assert.Single(tokens);
        Assert.Equal(audience, token.Audience);
        var mount = manifests.Container.VolumeMounts.Single(mount => mount.Name == token.Name);
        Assert.Equal($"{mount.MountPath}/{token.Path}", Variable(manifests, variable));
    }

    /// <summary>Writes the files of a volume as the kubelet does. The content of secrets and tokens is the test's.</summary>
    private static void Mount(Manifests manifests, V1VolumeMount mount, string root)
    {
        var volume = manifests.Pod.Volumes.Single(volume => volume.Name == mount.Name);
        foreach (var source in volume.Projected.Sources)
        {
            if (source.ServiceAccountToken is { } token)
            {
                Write(token.Path, "token");
                continue;
            }

            if (source.Secret is { } secret)
            {
                if (secret.Name == "iot-gateway-sealing") Write("sealing-keys", GatewayFolder.NewSealingKey());
                else Write("connection-string", "redis.internal:6379,ssl=true\n");
                continue;
            }

            var data = manifests.All<V1ConfigMap>().Single(map => map.Metadata.Name == source.ConfigMap.Name).Data;
            var items = source.ConfigMap.Items ?? [.. data.Keys.Select(static key => new V1KeyToPath { Key = key, Path = key })];
            foreach (var item in items) Write(item.Path, data[item.Key]);
        }

        void Write(string file, string content)
        {
            var path = $"{root}{mount.MountPath}/{file}";
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, content);
        }
    }

    /// <summary>The container's variables, with paths of mounted files below <paramref name="root"/>.</summary>
    private static IEnumerable<KeyValuePair<string, string>> Variables(Manifests manifests, string root)
    {
        foreach (var variable in manifests.Container.Env)
        {
            // No secret is a variable.
            Assert.Null(variable.ValueFrom);
            var isMounted = manifests.Container.VolumeMounts.Any(mount => variable.Value.StartsWith(mount.MountPath, StringComparison.Ordinal));
            yield return new(variable.Name, isMounted ? root + variable.Value : variable.Value);
        }
    }

    private static string Variable(Manifests manifests, string name) => manifests.Container.Env.Single(variable => variable.Name == name).Value;

    private static TimeSpan Duration(Manifests manifests, string name) => TimeSpan.Parse(Variable(manifests, name), CultureInfo.InvariantCulture);
}
