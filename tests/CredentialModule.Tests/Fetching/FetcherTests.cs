using System.Diagnostics.Metrics;
using IotCredentials.Caching;
using IotCredentials.Failures;
using IotCredentials.Fetching;
using IotCredentials.Redis;
using IotCredentials.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Sandbox;
using Testing;
using Xunit;

namespace IotCredentials.Tests.Fetching;

/// <summary>The engine with values of its own: it needs neither AWS nor an organization.</summary>
public sealed class FetcherTests
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);

    [Fact]
    public async Task What_is_in_memory_is_read_without_an_allocation()
    {
        await using var replica = new Replica(_time);
        var lookup = new Lookup(replica.Calls, _time);
        await replica.Fetcher.RenewAsync<Sign, Lookup>(lookup);
        Assert.NotNull(replica.Fetcher.ReadLocal<Sign, Lookup>(lookup));

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) replica.Fetcher.ReadLocal<Sign, Lookup>(lookup);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public async Task Nothing_cached_is_one_call_for_all_and_then_none()
    {
        await using var replica = new Replica(_time);
        var lookup = new Lookup(replica.Calls, _time);
        Assert.Null(replica.Fetcher.ReadLocal<Sign, Lookup>(lookup));
        Assert.Null(await replica.Fetcher.ReadSharedAsync<Sign, Lookup>(lookup));
        var hang = replica.Calls.Hang();

        var joined = Enumerable.Range(0, 10).Select(_ => replica.Fetcher.RenewAsync<Sign, Lookup>(lookup)).ToList();
        hang.SetResult();

        Assert.All(await Task.WhenAll(joined), static fetched => Assert.True(fetched is { IsNew: true, Value.Text: "sign 1" }));
        Assert.True(await replica.Fetcher.RenewAsync<Sign, Lookup>(lookup) is { IsNew: false, Value.Text: "sign 1" });
        Assert.Equal(1, replica.Calls.Count);
    }

    [Fact]
    public async Task What_is_due_is_returned_and_renewed_once_in_the_background()
    {
        await using var replica = new Replica(_time);
        var lookup = new Lookup(replica.Calls, _time);
        await replica.Fetcher.RenewAsync<Sign, Lookup>(lookup);
        _time.Advance(Lookup.RefreshAfter);
        var hang = replica.Calls.Hang();

        for (var i = 0; i < 10; i++) Assert.Equal("sign 1", replica.Fetcher.ReadLocal<Sign, Lookup>(lookup)!.Text);
        hang.SetResult();

        await Eventually.IsTrueAsync(() => replica.Fetcher.ReadLocal<Sign, Lookup>(lookup)!.Text == "sign 2");
        Assert.Equal(2, replica.Calls.Count);
    }

    [Fact]
    public async Task A_failed_renewal_is_not_repeated_while_its_failure_is_cached()
    {
        await using var replica = new Replica(_time);
        var lookup = new Lookup(replica.Calls, _time);
        await replica.Fetcher.RenewAsync<Sign, Lookup>(lookup);
        _time.Advance(Lookup.RefreshAfter);
        replica.Calls.Failure = new VendingException(FailureClass.Unavailable, "out of order");

        replica.Fetcher.ReadLocal<Sign, Lookup>(lookup);
        await Eventually.IsTrueAsync(() => replica.Failures.Contains(lookup.Key));
        for (var i = 0; i < 10; i++) Assert.Equal("sign 1", replica.Fetcher.ReadLocal<Sign, Lookup>(lookup)!.Text);

        Assert.Equal("out of order", (await Assert.ThrowsAsync<VendingException>(() => replica.Fetcher.RenewAsync<Sign, Lookup>(lookup))).Message);
        Assert.Equal(2, replica.Calls.Count);
    }

    [Fact]
    public async Task A_value_that_is_not_for_its_key_or_not_good_enough_is_not_returned()
    {
        await using var replica = new Replica(_time);
        var lookup = new Lookup(replica.Calls, _time);
        await replica.Fetcher.RenewAsync<Sign, Lookup>(lookup);

        Assert.Null(replica.Fetcher.ReadLocal<Sign, Lookup>(lookup with { Prefix = "another" }));
        Assert.Null(replica.Fetcher.ReadLocal<Sign, Lookup>(lookup with { Least = 2 }));
        Assert.Equal(1, replica.Calls.Count);
    }

    [Fact]
    public async Task A_value_without_a_lifetime_is_not_cached_and_one_that_is_refused_afterwards_is_a_failure()
    {
        await using var replica = new Replica(_time);
        var lookup = new Lookup(replica.Calls, _time) { Lifetime = TimeSpan.Zero };
        Assert.Equal("sign 1", (await replica.Fetcher.RenewAsync<Sign, Lookup>(lookup)).Value.Text);
        Assert.Null(replica.Fetcher.ReadLocal<Sign, Lookup>(lookup));

        lookup = new Lookup(replica.Calls, _time) { Refusal = new VendingException(FailureClass.TooShort, "of no use") };
        for (var i = 0; i < 3; i++) await Assert.ThrowsAsync<VendingException>(() => replica.Fetcher.RenewAsync<Sign, Lookup>(lookup));

        Assert.Equal(2, replica.Calls.Count);
    }

    [Fact]
    public async Task A_replica_waits_for_the_call_of_another_and_uses_its_value()
    {
        await using var redis = await EmbeddedRedis.StartAsync();
        await using var one = new Replica(TimeProvider.System, redis.ConnectionString);
        await using var two = new Replica(TimeProvider.System, redis.ConnectionString);
        foreach (var replica in (Replica[])[one, two]) await replica.Cache.Redis!.GetAsync();
        var hang = one.Calls.Hang();
        var first = one.Fetcher.RenewAsync<Sign, Lookup>(new(one.Calls, TimeProvider.System));
        await Eventually.IsTrueAsync(() => one.Calls.Count == 1);

        var second = two.Fetcher.RenewAsync<Sign, Lookup>(new(two.Calls, TimeProvider.System));
        Assert.False(second.IsCompleted);
        hang.SetResult();

        Assert.True(await first is { IsNew: true, Value.Text: "sign 1" });
        Assert.True(await second is { IsNew: false, Value.Text: "sign 1" });
        Assert.Equal(0, two.Calls.Count);
    }

    [Fact]
    public async Task Its_own_value_is_not_taken_for_another_replicas_while_it_is_cached()
    {
        await using var redis = await EmbeddedRedis.StartAsync();
        await using var one = new Replica(TimeProvider.System, redis.ConnectionString);
        await one.Cache.Redis!.GetAsync();
        var caching = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        var renewing = one.Fetcher.RenewAsync<Sign, Lookup>(new(one.Calls, TimeProvider.System) { Cached = caching.Task });

        Assert.NotSame(renewing, await Task.WhenAny(renewing, Task.Delay(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken)));
        caching.SetResult();
        Assert.True(await renewing is { IsNew: true, Value.Text: "sign 1" });
    }

    [Fact]
    public async Task An_older_value_in_Redis_does_not_replace_a_newer_one_in_memory()
    {
        await using var redis = await EmbeddedRedis.StartAsync();
        await using var one = new Replica(TimeProvider.System, redis.ConnectionString);
        await using var two = new Replica(TimeProvider.System, redis.ConnectionString);
        var (now, lookup) = (TimeProvider.System.GetUtcNow(), new Lookup(two.Calls, TimeProvider.System));
        await two.Cache.WriteAsync("key", new Sign("sign new", 2, now), TimeSpan.FromHours(1));
        await one.Cache.WriteAsync("key", new Sign("sign old", 1, now.AddMinutes(-1)), TimeSpan.FromHours(1));

        var read = await two.Fetcher.ReadSharedAsync<Sign, Lookup>(lookup);

        Assert.Equal(("sign new", "sign new"), (read?.Text, two.Fetcher.ReadLocal<Sign, Lookup>(lookup)?.Text));
    }

    private sealed record Sign(string Text, int Number, DateTimeOffset MadeAt);

    private sealed class SignCalls(TimeProvider time)
    {
        private Task _hang = Task.CompletedTask;
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public VendingException? Failure { get; set; }

        public TaskCompletionSource Hang()
        {
            var hang = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _hang = hang.Task;
            return hang;
        }

        public async Task<Sign> CallAsync()
        {
            var number = Interlocked.Increment(ref _count);
            await _hang;
            return Failure is null ? new Sign($"sign {number}", number, time.GetUtcNow()) : throw Failure;
        }
    }

    private readonly record struct Lookup(SignCalls Calls, TimeProvider Time) : IFetch<Sign>
    {
        public static readonly TimeSpan RefreshAfter = TimeSpan.FromMinutes(1);

        public string Prefix { get; init; } = "sign";
        public int Least { get; init; }
        public TimeSpan Lifetime { get; init; } = TimeSpan.FromHours(1);
        public VendingException? Refusal { get; init; }

        public string Kind => "sign";

        public string Key => "key";

        public bool Matches(Sign value) => value.Text.StartsWith(Prefix, StringComparison.Ordinal);

        public bool IsAcceptable(Sign value) => value.Number >= Least;

        public bool IsRefreshDue(Sign value) => Time.GetUtcNow() - value.MadeAt >= RefreshAfter;

        public bool IsCurrent(Sign value) => IsAcceptable(value) && !IsRefreshDue(value);

        public bool IsNewer(Sign value, Sign known) => value.MadeAt > known.MadeAt;

        public ValueTask<bool> MayReadSharedAsync() => new(true);

        public Task<Sign> CallAsync() => Calls.CallAsync();

        public TimeSpan CacheDurationOf(Sign value) => Lifetime;

        public Task Cached { get; init; } = Task.CompletedTask;

        public Task OnCachedAsync(Sign value) => Refusal is null ? Cached : Task.FromException(Refusal);

        public Task RefreshAsync(Func<Task> renew) => renew().ObserveException();
    }

    /// <summary>A process's cache and engine.</summary>
    private sealed class Replica : IAsyncDisposable
    {
        private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        private readonly string _keys = Path.GetTempFileName();
        private readonly RedisConnection? _redis;

        public Replica(TimeProvider time, string? redis = null)
        {
            File.WriteAllText(_keys, "VEhJUyBJUyBBIFRFU1QgS0VZLCBOT1QgQSBTRUNSRVQ=");
            var options = Options.Create(new IotCredentialsOptions { Timeout = TimeSpan.FromMinutes(1) });
            var host = new HostingEnvironment { ContentRootPath = "/", ContentRootFileProvider = new NullFileProvider() };
            Calls = new SignCalls(time);
            Failures = new NegativeCache(time);
            var metrics = new CredentialMetrics(_services.GetRequiredService<IMeterFactory>());
            _redis = redis is null ? null : new RedisConnection(redis, options, metrics, time, NullLogger<RedisConnection>.Instance);
            Cache = new CredentialCache(
                options, Options.Create(new SharedCacheOptions { Redis = redis, SealingKeyPath = _keys }), new SharedRedis(_redis), host, metrics, time,
                NullLogger<CredentialCache>.Instance);
            Fetcher = new Fetcher(Cache, new SingleFlight(), Failures, metrics, options);
        }

        public SignCalls Calls { get; }
        public NegativeCache Failures { get; }
        public CredentialCache Cache { get; }
        public Fetcher Fetcher { get; }

        public async ValueTask DisposeAsync()
        {
            Cache.Dispose();
            if (_redis is not null) await _redis.DisposeAsync();
            Failures.Dispose();
            await _services.DisposeAsync();
            File.Delete(_keys);
        }
    }
}
