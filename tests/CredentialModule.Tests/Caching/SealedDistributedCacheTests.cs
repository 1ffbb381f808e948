using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using IotCredentials.Caching;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Options;
using Xunit;

namespace IotCredentials.Tests.Caching;

public sealed class SealedDistributedCacheTests : IDisposable
{
    private static readonly byte[] s_value = Encoding.UTF8.GetBytes("a secret that must not be read");

    private readonly MemoryDistributedCache _redis = new(Options.Create(new MemoryDistributedCacheOptions()));
    private readonly List<string> _refused = [];
    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task GetAsync_WhatWasSet_IsReadAgainAndNotReadableInBetween()
    {
        var key = NewKey();
        var cache = Cache(key);

        await cache.SetAsync("k", s_value, new());
        await cache.SetAsync("other", s_value, new());

        Assert.Equal(s_value, await cache.GetAsync("k"));
        Assert.Equal(s_value, await cache.GetAsync("other"));
        Assert.True(_redis.Get(NameOf("k", key)).AsSpan().IndexOf("secret"u8) < 0);
        Assert.NotEqual(_redis.Get(NameOf("k", key)), _redis.Get(NameOf("other", key)));
        Assert.Empty(_refused);
    }

    [Fact]
    public async Task GetAsync_AfterRotation_OldAndNewEntriesOpenAndTheFirstKeySeals()
    {
        var (old, young) = (NewKey(), NewKey());
        await Cache(old).SetAsync("k", s_value, new());

        var both = Cache(young, old);
        Assert.Equal(s_value, await both.GetAsync("k"));
        await both.SetAsync("k2", s_value, new());

        Assert.Equal(s_value, await Cache(young).GetAsync("k2"));
        Assert.Null(await Cache(old).GetAsync("k2"));
        Assert.Null(await Cache(young).GetAsync("k"));
        Assert.Empty(_refused);
    }

    [Fact]
    public async Task S19_two_keys_that_seal_at_once_do_not_overwrite_each_others_entries()
    {
        var (one, two) = (NewKey(), NewKey());
        byte[] other = [.. s_value, 1];

        await Cache(one).SetAsync("k", s_value, new());
        await Cache(two, one).SetAsync("k", other, new());

        Assert.Equal(s_value, await Cache(one).GetAsync("k"));
        Assert.Equal(other, await Cache(two, one).GetAsync("k"));
        await Cache(two, one).RemoveAsync("k");
        Assert.Null(await Cache(one).GetAsync("k"));
        Assert.Empty(_refused);
    }

    [Fact]
    public async Task GetAsync_AnyByteOfTheBodyChanged_IsAMissAndASecurityEvent()
    {
        var key = NewKey();
        var (cache, name) = (Cache(key), NameOf("k", key));
        await cache.SetAsync("k", s_value, new());
        var sealedEntry = _redis.Get(name)!;
        var header = 5;

        for (var i = header; i < sealedEntry.Length; i++)
        {
            byte[] edited = [.. sealedEntry];
            edited[i] ^= 1;
            await _redis.SetAsync(name, edited);
            Assert.Null(await cache.GetAsync("k"));
        }

        Assert.Equal(sealedEntry.Length - header, _refused.Count);
        Assert.All(_refused, refused => Assert.Equal($"prefix:{name}", refused));
    }

    [Fact]
    public async Task GetAsync_EntryUnderAnotherKeyOrPrefix_IsAMissAndASecurityEvent()
    {
        var key = NewKey();
        await Cache(key).SetAsync("mine", s_value, new());
        await _redis.SetAsync(NameOf("theirs", key), _redis.Get(NameOf("mine", key))!);

        Assert.Null(await Cache(key).GetAsync("theirs"));
        var elsewhere = new SealedDistributedCache(_redis, name => _redis.GetAsync(name), "elsewhere:", new Sealer(Keys(key)), _refused.Add);
        Assert.Null(await elsewhere.GetAsync("mine"));

        Assert.Equal([$"prefix:{NameOf("theirs", key)}", $"elsewhere:{NameOf("mine", key)}"], _refused);
    }

    [Fact]
    public async Task GetAsync_OtherVersionOtherKeyOrStumpUnderTheKeysName_IsRejected()
    {
        var key = NewKey();
        var (cache, name) = (Cache(key), NameOf("k", key));
        await cache.SetAsync("k", s_value, new());
        byte[] version = [.. _redis.Get(name)!];
        version[0] = 0;
        byte[] keyId = [.. _redis.Get(name)!];
        keyId[1] ^= 1;

        foreach (var entry in new[] { version, keyId, [], [1], _redis.Get(name)![..20] })
        {
            await _redis.SetAsync(name, entry);
            Assert.Null(await cache.GetAsync("k"));
            Assert.Null(_redis.Get(name));
        }

        Assert.Equal(Enumerable.Repeat($"prefix:{name}", 5), _refused);
    }

    [Theory]
    [InlineData("", "holds no key")]
    [InlineData("\n  \n", "holds no key")]
    [InlineData("not base64 at all", "line 1")]
    [InlineData("c2hvcnQ=", "line 1")]
    [InlineData("{key}\nc2hvcnQ=", "line 2")]
    public void Read_BadKeyFile_NamesTheLineAndNeverItsContent(string content, string expected)
    {
        var path = Path.Combine(_folder, "keys");
        var key = NewKey();
        File.WriteAllText(path, content.Replace("{key}", key, StringComparison.Ordinal));

        var error = Assert.Throws<InvalidDataException>(() => SealingKeys.Read(path));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("c2hvcnQ", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(key, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_ANamedPipe_ThrowsAndDoesNotWaitForAWriter()
    {
        var path = Path.Combine(_folder, "keys");
        using (var made = Process.Start("mkfifo", [path])) await made.WaitForExitAsync(TestContext.Current.CancellationToken);

        var error = await Assert.ThrowsAsync<InvalidDataException>(() =>
            Task.Run(() => SealingKeys.Read(path)).WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken));

        Assert.Equal($"{path} is a named pipe, a socket or a device, not a file.", error.Message);
    }

    private static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    private string NameOf(string key, string sealingKey) => SealedDistributedCache.NameOf(key, Keys(sealingKey).Ids[0]);

    private SealingKeys Keys(params string[] keys)
    {
        var path = Path.Combine(_folder, Guid.NewGuid().ToString());
        File.WriteAllLines(path, keys);
        return SealingKeys.Read(path);
    }

    private SealedDistributedCache Cache(params string[] keys) => new(_redis, name => _redis.GetAsync(name), "prefix:", new Sealer(Keys(keys)), _refused.Add);
}
