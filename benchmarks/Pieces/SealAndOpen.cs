using System.Text.Json;
using BenchmarkDotNet.Attributes;
using IotCredentials.Caching;
using Testing;

namespace Pieces;

/// <summary>An entry on its way to Redis and back.</summary>
public class SealAndOpen
{
    private const string Name = "iotcredentials:v2:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    private Sealer _sealer = null!;
    private byte[] _value = null!;
    private byte[] _entry = null!;

    [GlobalSetup]
    public async Task PrepareAsync()
    {
        await using var gateway = await WarmGateway.StartAsync();
        _value = JsonSerializer.SerializeToUtf8Bytes((await gateway.VendedAsync()).Credentials);
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, GatewayFolder.NewSealingKey());
        _sealer = new Sealer(SealingKeys.Read(file));
        File.Delete(file);
        _entry = Seal();
        if (!Open()!.AsSpan().SequenceEqual(_value)) throw new InvalidOperationException("what was sealed does not open");
    }

    [Benchmark(Description = "entry: sealed")]
    public byte[] Seal() => _sealer.Seal(Name, _value);

    [Benchmark(Description = "entry: opened")]
    public byte[]? Open() => _sealer.Open(Name, _entry, out _);
}
