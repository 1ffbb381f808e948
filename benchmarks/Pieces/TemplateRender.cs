using BenchmarkDotNet.Attributes;
using IotCredentials.Aws;
using IotCredentials.Policies;
using IotCredentials.Vending;
using Microsoft.Extensions.DependencyInjection;

namespace Pieces;

/// <summary>The session policy of an organization, and the cache key that it is a part of; a warm vend only looks the key up.</summary>
public class TemplateRender
{
    private WarmGateway _gateway = null!;
    private CacheKeyCache _known = null!;
    private VendContext _inputs = null!;
    private AssumeRoleParameters _request = null!;
    private TemplateValues _values = null!;

    [GlobalSetup]
    public async Task StartAsync()
    {
        _gateway = await WarmGateway.StartAsync();
        _known = _gateway.Services.GetRequiredService<CacheKeyCache>();
        _inputs = (await _gateway.VendedAsync()).Inputs;
        _request = _inputs.ToAssumeRoleParameters();
        _values = _inputs.Profile.ValuesFor(_inputs.Organization);
    }

    [GlobalCleanup]
    public Task StopAsync() => _gateway.DisposeAsync().AsTask();

    [Benchmark(Description = "template: rendered")]
    public string RenderPolicy() => _inputs.Profile.SessionPolicy.Render(_values);

    [Benchmark(Description = "key: hashed")]
    public string HashKey() => CacheKey.Of(_request);

    [Benchmark(Description = "key: found")]
    public string FindKey() => _known.Of(_inputs, static inputs => CacheKey.Of(inputs.ToAssumeRoleParameters()));
}
