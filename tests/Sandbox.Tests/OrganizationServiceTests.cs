using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace Sandbox.Tests;

public sealed class OrganizationServiceTests : IAsyncLifetime
{
    private readonly HttpClient _client = new();
    private OrganizationService _service = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _service = await OrganizationService.StartAsync();

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _service.DisposeAsync();
    }

    [Fact]
    public async Task It_echoes_what_arrived()
    {
        var raw = new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true };
        using var request = new HttpRequestMessage(HttpMethod.Put, new Uri($"{_service.Url}/a%2Fb/../c?q=%20+&q", raw));
        request.Headers.Add("X-Two", ["1", "2"]);
        request.Content = new ByteArrayContent(new byte[100_000]);
        using var answer = await _client.SendAsync(request, Cancelled);
        var echo = await answer.Content.ReadFromJsonAsync<JsonNode>(Cancelled);

        Assert.Equal("PUT", (string?)echo!["method"]);
        Assert.Equal("/a%2Fb/../c?q=%20+&q", (string?)echo["target"]);
        Assert.Equal(100_000, (int)echo["bodyLength"]!);
        Assert.Equal("1, 2", string.Join(", ", echo["headers"]!["X-Two"]!.AsArray().Select(value => (string?)value)));
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.MediaType);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(204)]
    [InlineData(404)]
    [InlineData(503)]
    public async Task Status_answers_it_with_an_empty_body(int status)
    {
        using var answer = await _client.GetAsync(new Uri($"{_service.Url}/organizations/o-a/status/{status}?x=1"), Cancelled);

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync(Cancelled));
        Assert.Null(answer.Content.Headers.ContentType);
    }

    [Theory]
    [InlineData("status/99")]
    [InlineData("status/600")]
    [InlineData("status/x")]
    [InlineData("slow/x")]
    public async Task What_is_no_number_of_the_kind_is_echoed(string path)
    {
        using var answer = await _client.GetAsync(new Uri($"{_service.Url}/{path}"), Cancelled);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Contains(path, await answer.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Slow_has_not_answered_when_the_caller_gives_up_and_does_not_hold_up_the_stop()
    {
        using var givingUp = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var answer = _client.GetAsync(new Uri($"{_service.Url}/slow/600000"), givingUp.Token);
        await _service.Requests.WaitForAsync(request => request.Target == "/slow/600000", cancellationToken: Cancelled);
        Assert.False(answer.IsCompleted);

        await givingUp.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer);
    }

    [Fact]
    public async Task A_stop_ends_a_slow_answer()
    {
        var answer = _client.GetAsync(new Uri($"{_service.Url}/slow/600000"), Cancelled);
        await _service.Requests.WaitForAsync(request => request.Target == "/slow/600000", cancellationToken: Cancelled);

        await _service.DisposeAsync();

        await Assert.ThrowsAsync<HttpRequestException>(() => answer);
    }

    [Fact]
    public async Task Slow_echoes_in_the_end() =>
        Assert.Equal("/slow/1", (string?)(await _client.GetFromJsonAsync<JsonNode>($"{_service.Url}/slow/1", Cancelled))!["target"]);

    [Fact]
    public async Task Abort_drops_the_connection() =>
        await Assert.ThrowsAsync<HttpRequestException>(() => _client.GetAsync(new Uri($"{_service.Url}/x/abort"), Cancelled));

    [Fact]
    public async Task Requests_are_recorded_until_cleared()
    {
        using var answer = await _client.GetAsync(new Uri($"{_service.Url}/one?two"), Cancelled);
        var request = Assert.Single(_service.Requests.Snapshot());
        _service.Requests.Clear();

        Assert.Equal(("GET", "/one?two", 0), (request.Method, request.Target, request.BodyLength));
        Assert.True(request.Headers.ContainsKey("host"));
        Assert.Empty(_service.Requests.Snapshot());
    }
}
