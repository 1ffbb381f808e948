using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Testing;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>Bodies pass as they come, and none is kept. <c>LARGE_BODY_MIB</c> makes them larger.</summary>
[Trait("Category", "Long")]
[Collection(LoadTests.Name)]
public sealed class LargeBodyTests(ITestOutputHelper output)
{
    private const int MiB = 1024 * 1024;

    private static long Length =>
        MiB * (Environment.GetEnvironmentVariable("LARGE_BODY_MIB") is { Length: > 0 } text ? long.Parse(text, CultureInfo.InvariantCulture) : 256);

    [Fact]
    public async Task A_large_body_up_and_one_down_take_no_memory()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayProcessAsync(settings =>
            settings["ReverseProxy"]!["Routes"]!["organizations"]!.AsObject()["MaxRequestBodySize"] = JsonValue.Create(-1));
        using var process = Process.GetProcessById(gateway.Id);
        await UpAsync(16 * MiB);
        await DownAsync(16 * MiB);
        process.Refresh();
        var before = process.PeakWorkingSet64;

        var begun = Stopwatch.StartNew();
        Assert.Equal(Length, await UpAsync(Length));
        Assert.Equal(Length, await DownAsync(Length));

        process.Refresh();
        var grown = process.PeakWorkingSet64 - before;
        output.WriteLine(
            $"{Length / MiB} MiB up and down in {begun.Elapsed.TotalSeconds:F1} s: {before / MiB} MiB at most before, {grown / MiB} MiB more after");
        Assert.True(grown < 64 * MiB, $"{grown / MiB} MiB");

        async Task<long> UpAsync(long length)
        {
            var answer = await world.Client.SendAsync(
                gateway.Url + "/organizations/o-acme/files", world.Token("o-acme"), "POST", request => request.Content = new StreamContent(new Zeros(length)));
            return answer.Json.GetProperty("bodyLength").GetInt64();
        }

        async Task<long> DownAsync(long length)
        {
            using var request = new HttpRequestMessage(
                HttpMethod.Get, $"{gateway.Url}/organizations/o-acme/bytes/{length.ToString(CultureInfo.InvariantCulture)}");
            request.Headers.Authorization = new("Bearer", world.Token("o-acme"));
            using var response = await world.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            await using var body = await response.Content.ReadAsStreamAsync();
            var buffer = new byte[64 * 1024];
            var received = 0L;
            for (int read; (read = await body.ReadAsync(buffer)) > 0;) received += read;
            return received;
        }
    }

    private sealed class Zeros(long length) : Stream
    {
        private long _left = length;

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var read = (int)Math.Min(_left, count);
            _left -= read;
            return read;
        }

        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
