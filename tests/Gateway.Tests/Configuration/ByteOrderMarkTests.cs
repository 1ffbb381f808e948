using Gateway.Authentication.Keys;
using Microsoft.Extensions.DependencyInjection;
using Testing;
using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>Some editors and services write a byte-order mark before their text. It is no part of a file or of a document.</summary>
public sealed class ByteOrderMarkTests
{
    private const string Mark = "\uFEFF";

    [Fact]
    [Trait("Category", "Redis")]
    public async Task A_file_of_sealing_keys_may_begin_with_one()
    {
        await using var world = await World.StartAsync();
        var folder = world.Folder();
        folder.Write("sealing-keys", Mark + folder.Read("sealing-keys"));

        await using var gateway = await RunningGateway.StartAsync(world, folder);

        Assert.Equal(200, (await gateway.VendAsync("o-acme")).Status);
        Assert.Equal("Healthy", (await world.Client.SendAsync(gateway.ManagementUrl + "/health/ready")).Body);
    }

    [Fact]
    public async Task An_issuers_documents_may_begin_with_one()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(
            settings => settings.WithoutRedis(), services => services.AddSingleton(new IssuerDocuments(TimeProvider.System, new Marking())));

        Assert.Equal(200, (await gateway.SendAsync("/organizations/o-acme/1", world.Token("o-acme"))).Status);
    }

    private sealed class Marking() : DelegatingHandler(IssuerDocuments.CreateHandler())
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await base.SendAsync(request, cancellationToken);
            response.Content = new StringContent(Mark + await response.Content.ReadAsStringAsync(cancellationToken));
            return response;
        }
    }
}
