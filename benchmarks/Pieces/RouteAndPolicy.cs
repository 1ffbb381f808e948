using System.Buffers;
using BenchmarkDotNet.Attributes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.DependencyInjection;
using Testing;

namespace Pieces;

/// <summary>
/// Requests through the whole gateway: all of it but the network, and the access log, which is <see cref="AccessLine"/>. Of each row the
/// server in memory takes what its own row says.
/// </summary>
public class RouteAndPolicy
{
    // Until all of the way is compiled for good, which takes longer than a benchmark's own warm-up.
    private const int Warmup = 30_000;

    private static readonly string s_own = Requests.CredentialsPath(WarmGateway.Organization);
    private static readonly string s_another = Requests.CredentialsPath("o-another");

    private MemoryServer _server = null!;
    private string _authorization = null!;
    private IAsyncDisposable _started = null!;

    [GlobalSetup]
    public async Task StartAsync()
    {
        var gateway = await WarmGateway.StartAsync();
        (_started, _server, _authorization) = (gateway, gateway.Server, $"Bearer {gateway.Token}");
        for (var i = 0; i < Warmup; i++)
        {
            await gateway.ExpectAsync(200, s_own, _authorization);
            await gateway.ExpectAsync(403, s_another, _authorization);
            await gateway.ExpectAsync(401, s_own, null);
            await gateway.ExpectAsync(404, "/nowhere", _authorization);
        }
    }

    [GlobalSetup(Target = nameof(RespondWithNothingAsync))]
    public async Task StartEmptyAsync()
    {
        _server = new MemoryServer();
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddSingleton<IServer>(_server);
        var app = builder.Build();
        app.Run(context =>
        {
            context.Response.BodyWriter.Write("{}"u8);
            return context.Response.CompleteAsync();
        });
        await app.StartAsync();
        _started = app;
    }

    [GlobalCleanup]
    public Task StopAsync() => _started.DisposeAsync().AsTask();

    [Benchmark(Description = "request: server in memory alone")]
    public Task<int> RespondWithNothingAsync() => _server.GetAsync(s_own, _authorization);

    [Benchmark(Description = "request: 200, vended warm")]
    public Task<int> VendAsync() => _server.GetAsync(s_own, _authorization);

    [Benchmark(Description = "request: 403, no member")]
    public Task<int> ForbidAsync() => _server.GetAsync(s_another, _authorization);

    [Benchmark(Description = "request: 401, no token")]
    public Task<int> ChallengeAsync() => _server.GetAsync(s_own, null);

    [Benchmark(Description = "request: 404, no route")]
    public Task<int> FindNoRouteAsync() => _server.GetAsync("/nowhere", _authorization);
}
