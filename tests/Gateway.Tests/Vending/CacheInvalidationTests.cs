using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using IotCredentials.Caching;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Sandbox;
using StackExchange.Redis;
using Testing;
using Xunit;

namespace Gateway.Tests.Vending;

[Trait("Category", "Redis")]
public sealed class CacheInvalidationTests
{
    private static void Operators(JsonObject settings)
    {
        settings["Authorization"]!["Policies"]!["Operators"] = new JsonObject { ["Roles"] = new JsonArray("platform-operator") };
        settings["Management"]!["AuthorizationPolicy"] = "Operators";
    }

    private static Task<Response> ForgetAsync(World world, RunningGateway gateway, string organization, string? token) =>
        world.Client.SendAsync($"{gateway.ManagementUrl}/organizations/{organization}/credentials", token, "DELETE");

    private static string OperatorsToken(World world) => world.Issuer.Issue(new TokenRequest { Subject = "oscar", Roles = ["platform-operator"] });

    [Fact]
    public async Task Forgotten_credentials_are_served_by_no_replica_and_another_organizations_stay()
    {
        await using var world = await World.StartAsync();
        var (one, two) = (await world.StartGatewayAsync(Operators), await world.StartGatewayAsync(Operators));
        var old = await one.VendAsync("o-acme");
        var other = await one.VendAsync("o-other");
        Assert.Equal(old.AccessKeyId, (await two.VendAsync("o-acme")).AccessKeyId);

        Assert.Equal(204, (await ForgetAsync(world, one, "o-acme", OperatorsToken(world))).Status);

        var here = await one.VendAsync("o-acme");
        var there = await LifetimeTests.UntilAsync(() => two.VendAsync("o-acme"), answer => answer.AccessKeyId != old.AccessKeyId);
        Assert.NotEqual(old.AccessKeyId, here.AccessKeyId);
        Assert.Equal(here.AccessKeyId, there.AccessKeyId);
        Assert.Equal(here.AccessKeyId, (await two.VendAsync("o-acme")).AccessKeyId);
        Assert.Equal(other.AccessKeyId, (await two.VendAsync("o-other")).AccessKeyId);
    }

    [Fact]
    public async Task Who_may_forget_is_who_may_by_the_policy_that_is_in_force()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(Operators);
        for (var i = 0; i < 2; i++) Assert.Equal(204, (await ForgetAsync(world, gateway, "o-acme", OperatorsToken(world))).Status);

        await gateway.ChangeAsync(settings => settings["Authorization"]!["Policies"]!["Operators"] = new JsonObject { ["Roles"] = new JsonArray("another") });

        Assert.Equal(403, (await ForgetAsync(world, gateway, "o-acme", OperatorsToken(world))).Status);
        Assert.Equal(204, (await ForgetAsync(world, gateway, "o-acme", world.Issuer.Issue(new TokenRequest { Roles = ["another"] }))).Status);
    }

    [Fact]
    public async Task A_replica_that_starts_afterwards_does_not_serve_them_either()
    {
        await using var world = await World.StartAsync();
        var one = await world.StartGatewayAsync(Operators);
        var old = await one.VendAsync("o-acme");
        await ForgetAsync(world, one, "o-acme", OperatorsToken(world));

        var late = await world.StartGatewayAsync(Operators);

        Assert.NotEqual(old.AccessKeyId, (await late.VendAsync("o-acme")).AccessKeyId);
    }

    [Fact]
    public async Task A_renewal_that_was_under_way_does_not_bring_the_old_ones_back()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var world = await World.StartAsync(time);
        var gateway = await world.StartGatewayAsync(Operators);
        var old = await gateway.VendAsync("o-acme");
        time.Advance(TimeSpan.FromMinutes(31));
        var hang = world.Aws.Inject(AwsFault.Hang(), "AssumeRole", times: 1);
        await gateway.VendAsync("o-acme");
        await world.Aws.Calls.WaitForAsync(call => call.Action == "AssumeRole", 2);

        Assert.Equal(204, (await ForgetAsync(world, gateway, "o-acme", OperatorsToken(world))).Status);
        var young = await gateway.VendAsync("o-acme");
        hang.Dispose();
        await LifetimeTests.UntilAsync(
            () => gateway.VendAsync("o-other"),
            _ => world.Aws.Calls.Count(call => call.AssumeRole?.RoleSessionName == "o-acme" && call.Issued is not null) == 3);

        Assert.NotEqual(old.AccessKeyId, young.AccessKeyId);
        for (var i = 0; i < 20; i++) Assert.Equal(young.AccessKeyId, (await gateway.VendAsync("o-acme")).AccessKeyId);
    }

    [Fact]
    public async Task A_failure_that_is_remembered_is_forgotten_as_well()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(Operators);
        var fault = world.Aws.Inject(AwsFault.Error("AccessDenied", 403), "AssumeRole");
        Assert.Equal(503, (await gateway.VendAsync("o-acme")).Status);
        fault.Dispose();
        Assert.Equal(503, (await gateway.VendAsync("o-acme")).Status);

        await ForgetAsync(world, gateway, "o-acme", OperatorsToken(world));

        Assert.Equal(200, (await gateway.VendAsync("o-acme")).Status);
    }

    [Fact]
    public async Task While_Redis_is_out_of_reach_they_are_forgotten_here_and_the_answer_is_503()
    {
        await using var world = await World.StartAsync(ownRedis: true);
        var gateway = await world.StartGatewayAsync(Operators);
        var old = await gateway.VendAsync("o-acme");
        await world.Redis.KillAsync();

        var answer = await ForgetAsync(world, gateway, "o-acme", OperatorsToken(world));

        Assert.Equal(503, answer.Status);
        Assert.Equal("ServiceUnavailable", answer.Error);
        Assert.NotEqual(old.AccessKeyId, (await gateway.VendAsync("o-acme")).AccessKeyId);
    }

    [Fact]
    public async Task Only_those_whom_the_named_policy_allows_may_forget_and_nobody_while_it_names_none()
    {
        await using var world = await World.StartAsync();
        var closed = await world.StartGatewayAsync();
        var open = await world.StartGatewayAsync(Operators);
        var old = await open.VendAsync("o-acme");

        Assert.Equal(401, (await ForgetAsync(world, closed, "o-acme", null)).Status);
        Assert.Equal(403, (await ForgetAsync(world, closed, "o-acme", OperatorsToken(world))).Status);
        Assert.Equal(401, (await ForgetAsync(world, open, "o-acme", null)).Status);
        Assert.Equal(401, (await ForgetAsync(world, open, "o-acme", "no.token.atall")).Status);
        Assert.Equal(403, (await ForgetAsync(world, open, "o-acme", world.Token("o-acme"))).Status);
        Assert.Equal(422, (await ForgetAsync(world, open, "acme", OperatorsToken(world))).Status);
        Assert.Equal(old.AccessKeyId, (await open.VendAsync("o-acme")).AccessKeyId);
        Assert.Equal(403, (await open.SendAsync("/organizations/o-acme/credentials", OperatorsToken(world), "DELETE")).Status);
    }

    [Theory]
    [InlineData("S6 vended before")]
    [InlineData("S6 vended before, by a replica that is gone")]
    [InlineData("S6 AWS was being asked")]
    [InlineData("S6 forgotten twice")]
    public async Task What_was_forgotten_is_gone_from_Redis_and_stays_so_when_the_mark_is_lost_and_replicas_restart(string when)
    {
        await using var world = await World.StartAsync(ownRedis: true);
        await using var redis = await world.Redis.ConnectAsync();
        var one = await world.StartGatewayAsync(Operators);
        var old = new List<string>();
        var hang = when.EndsWith("asked", StringComparison.Ordinal) ? world.Aws.Inject(AwsFault.Hang(), "AssumeRole") : null;
        var vending = one.VendAsync("o-acme");
        if (hang is null) old.Add((await vending).AccessKeyId);
        else await world.Aws.Calls.WaitForAsync(call => call.Action == "AssumeRole");
        if (hang is null) await one.VendAsync("o-other");
        var two = when.EndsWith("gone", StringComparison.Ordinal) ? await world.StartGatewayAsync(Operators) : one;

        Assert.Equal(204, (await ForgetAsync(world, two, "o-acme", OperatorsToken(world))).Status);
        if (when.EndsWith("twice", StringComparison.Ordinal))
        {
            old.Add((await two.VendAsync("o-acme")).AccessKeyId);
            Assert.Equal(204, (await ForgetAsync(world, two, "o-acme", OperatorsToken(world))).Status);
        }

        hang?.Dispose();
        if (hang is not null) old.Add((await vending).AccessKeyId);
        // The other organization's entry, and the endpoint's.
        await Eventually.IsTrueAsync(() => Entries(redis, world).Count == (hang is null ? 2 : 1), () => string.Join('\n', Entries(redis, world)));
        await redis.GetDatabase().KeyDeleteAsync(world.KeyPrefix + "forgotten");
        var late = await world.StartGatewayAsync(Operators);
        Assert.DoesNotContain((await late.VendAsync("o-acme")).AccessKeyId, old);
    }

    [Fact]
    public async Task S6_a_replica_that_learns_of_it_late_deletes_what_it_wrote_meanwhile()
    {
        await using var world = await World.StartAsync(ownRedis: true);
        await using var redis = await world.Redis.ConnectAsync();
        var (one, two) = (await world.StartGatewayAsync(Operators), await world.StartGatewayAsync(Operators));
        var hang = world.Aws.Inject(AwsFault.Hang(), "AssumeRole");
        var vending = two.VendAsync("o-acme");
        await world.Aws.Calls.WaitForAsync(call => call.Action == "AssumeRole");

        Assert.Equal(204, (await ForgetAsync(world, one, "o-acme", OperatorsToken(world))).Status);
        hang.Dispose();
        await vending;

        await Eventually.IsTrueAsync(() => Entries(redis, world).Count == 1, () => string.Join('\n', Entries(redis, world)));
    }

    [Fact]
    public async Task S13_junk_among_the_marks_is_one_line_a_look_that_repeats_nothing_of_it()
    {
        await using var world = await World.StartAsync(ownRedis: true);
        await using var redis = await world.Redis.ConnectAsync();
        var gateway = await world.StartGatewayAsync(Operators);
        await ForgetAsync(world, gateway, "o-acme", OperatorsToken(world));
        var forged = Assert.Single(await redis.GetDatabase().HashGetAllAsync(world.KeyPrefix + "forgotten")).Value;
        string[] names = ["o-other", "a\nwarn: forged line", "\u001b[31mred", new('x', 200), "\u0000", "\u2028", "héé"];
        foreach (var name in names) await redis.GetDatabase().HashSetAsync(world.KeyPrefix + "forgotten", name, forged);
        await redis.GetDatabase().HashSetAsync(world.KeyPrefix + "forgotten", [.. Enumerable.Range(0, 500).Select(i => new HashEntry($"junk {i}", forged))]);

        var begun = Stopwatch.StartNew();
        await Task.WhenAll(
            Enumerable.Range(0, 200).Select(i => redis.GetSubscriber().PublishAsync(RedisChannel.Literal(world.KeyPrefix + "forgotten"), $"junk\n{i}")));
        await gateway.Log.WaitForAsync(
            LogLevel.Error, $"Security: {names.Length + 500} of the fields of {world.KeyPrefix}forgotten in Redis are not what this gateway sealed there");

        // However many notices come, two looks are at least 100 ms apart.
        var looks = gateway.Log.Count(LogLevel.Error, "Security:");
        Assert.InRange(looks, 1, 2 + (begun.ElapsedMilliseconds / 100));
        Assert.DoesNotContain("forged line", gateway.Log.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("\u001b", gateway.Log.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("xxxxx", gateway.Log.Text, StringComparison.Ordinal);
        Assert.Equal(200, (await gateway.VendAsync("o-other")).Status);
    }

    [Theory]
    [InlineData("a text")]
    [InlineData("a list")]
    public async Task S13_what_is_no_hash_in_the_place_of_the_generations_is_removed_and_they_reach_replicas_again(string kind)
    {
        await using var world = await World.StartAsync(ownRedis: true);
        await using var redis = await world.Redis.ConnectAsync();
        var (one, two) = (await world.StartGatewayAsync(Operators), await world.StartGatewayAsync(Operators));
        var old = await one.VendAsync("o-acme");
        Assert.Equal(old.AccessKeyId, (await two.VendAsync("o-acme")).AccessKeyId);
        Assert.Equal(204, (await ForgetAsync(world, one, "o-other", OperatorsToken(world))).Status);
        var generations = (RedisKey)(world.KeyPrefix + "forgotten");
        var planting = redis.GetDatabase().CreateTransaction();
        _ = planting.KeyDeleteAsync(generations);
        if (kind == "a text") _ = planting.StringSetAsync(generations, "x");
        else _ = planting.ListLeftPushAsync(generations, "x");
        Assert.True(await planting.ExecuteAsync());

        // Whichever polls first.
        var refused = $"Security: the entry {generations} in Redis is not what this gateway sealed under that key";
        await Eventually.IsTrueAsync(() => one.Log.Count(LogLevel.Error, refused) + two.Log.Count(LogLevel.Error, refused) > 0, () => one.Log.Text);
        // The known generations are written again.
        await Eventually.IsTrueAsync(async () => await redis.GetDatabase().KeyTypeAsync(generations) == RedisType.Hash, () => one.Log.Text);
        Assert.Equal(204, (await ForgetAsync(world, one, "o-acme", OperatorsToken(world))).Status);

        var there = await LifetimeTests.UntilAsync(() => two.VendAsync("o-acme"), answer => answer.AccessKeyId != old.AccessKeyId);
        Assert.Equal((await one.VendAsync("o-acme")).AccessKeyId, there.AccessKeyId);
    }

    [Fact]
    public async Task S13_junk_on_any_channel_of_the_gateway_leaves_no_stack_trace()
    {
        await using var world = await World.StartAsync(ownRedis: true);
        await using var redis = await world.Redis.ConnectAsync();
        var gateway = await world.StartGatewayAsync();
        await gateway.VendAsync("o-acme");
        List<string> channels = [];
        await Eventually.IsTrueAsync(
            async () =>
            {
                var known = (RedisResult[])(await redis.GetDatabase().ExecuteAsync("PUBSUB", "CHANNELS"))!;
                channels = [.. known.Select(channel => (string)channel!).Where(channel => channel.StartsWith(world.KeyPrefix, StringComparison.Ordinal))];
                return channels.Count >= 1;
            },
            () => string.Join("; ", channels));
        // The notices of invalidated organizations.
        Assert.Equal([world.KeyPrefix + "forgotten"], channels);

        byte[][] junk =
        [
            [], "\n\u001b[31m"u8.ToArray(), [0, 0, 0, 0], [255, 255, 255, 255, 255, 255], new byte[100_000], [1, .. Enumerable.Repeat((byte)7, 40)],
        ];
        foreach (var channel in channels)
            foreach (var message in junk) await redis.GetSubscriber().PublishAsync(RedisChannel.Literal(channel), message);

        // The other replica knows the generation that was written and announced after the junk: the junk is through by then.
        var other = await world.StartGatewayAsync();
        Assert.Equal((await gateway.VendAsync("o-late")).AccessKeyId, (await other.VendAsync("o-late")).AccessKeyId);
        Assert.True(gateway.Log.Count(LogLevel.Warning, "") == 0, gateway.Log.Text);
        Assert.Equal(0, gateway.Log.Count(LogLevel.Error, ""));
    }

    [Fact]
    public async Task S19_two_sealing_keys_at_work_cost_one_AssumeRole_an_organization_each()
    {
        await using var world = await World.StartAsync(ownRedis: true);
        var one = await world.StartGatewayAsync();
        one.Folder.Write("other-keys", GatewayFolder.NewSealingKey());
        var other = await world.StartGatewayAsync(settings => settings.Set("Sealing:KeyPath", $"\"{one.Folder.Path}/other-keys\""));

        for (var round = 0; round < 20; round++)
        {
            Assert.Equal(200, (await one.VendAsync("o-acme")).Status);
            Assert.Equal(200, (await other.VendAsync("o-acme")).Status);
        }

        Assert.Equal(2, world.Aws.Count("AssumeRole"));
    }

    [Fact]
    public async Task S19_replicas_with_different_sealing_keys_keep_their_invalidations_and_say_that_they_cannot_read_each_others()
    {
        await using var world = await World.StartAsync(ownRedis: true);
        await using var redis = await world.Redis.ConnectAsync();
        var one = await world.StartGatewayAsync(Operators);
        var (oldKey, newKey) = (one.Folder.Read("sealing-keys").Trim(), GatewayFolder.NewSealingKey());
        one.Folder.Write("other-keys", newKey);
        one.Folder.Write("both-keys", $"{newKey}\n{oldKey}");
        var other = await world.StartGatewayAsync(With("other-keys"));

        Assert.Equal(204, (await ForgetAsync(world, one, "o-acme", OperatorsToken(world))).Status);
        Assert.Equal(204, (await ForgetAsync(world, other, "o-acme", OperatorsToken(world))).Status);
        const string Unreadable = "are sealed with a key that this replica does not have";
        await one.Log.WaitForAsync(LogLevel.Warning, Unreadable);
        await other.Log.WaitForAsync(LogLevel.Warning, Unreadable);

        // A replica that starts later knows what each invalidated, and shares what they vended since.
        var young = await one.VendAsync("o-acme");
        var late = await world.StartGatewayAsync(Operators);
        Assert.Equal(young.AccessKeyId, (await late.VendAsync("o-acme")).AccessKeyId);
        Assert.Equal(2, await redis.GetDatabase().HashLengthAsync(world.KeyPrefix + "forgotten"));
        // One with both keys passes them on.
        Assert.Equal(204, (await ForgetAsync(world, one, "o-globex", OperatorsToken(world))).Status);
        var both = await world.StartGatewayAsync(With("both-keys"));
        await Eventually.IsTrueAsync(async () => await redis.GetDatabase().HashLengthAsync(world.KeyPrefix + "forgotten") == 4);
        Assert.Equal(0, both.Log.Count(LogLevel.Warning, Unreadable));
        Assert.Equal(1, one.Log.Count(LogLevel.Warning, Unreadable));

        Action<JsonObject> With(string keys) => settings =>
        {
            Operators(settings);
            settings.Set("Sealing:KeyPath", $"\"{one.Folder.Path}/{keys}\"");
        };
    }

    /// <summary>How long ago an organization was invalidated by Redis's clock, how far the replica's clock is ahead of it, and whether it still is.</summary>
    public static TheoryData<string, double, double, bool> Ages => new()
    {
        { "00:05:00", 1, 0, true },
        { "00:05:00", 12.5, 0, true },
        { "00:05:00", 14, 0, false },
        { "1.00:00:00", 14, 0, true },
        { "1.00:00:00", 25.5, 0, true },
        { "1.00:00:00", 28, 0, false },
        { "00:05:00", 0, 20, true },
        { "00:05:00", 12.5, 20, true },
        { "00:05:00", 14, 20, false },
    };

    [Theory]
    [MemberData(nameof(Ages))]
    public async Task An_organization_stays_invalidated_until_every_entry_from_before_has_expired(string cacheFor, double age, double ahead, bool stays)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow.AddHours(ahead));
        await using var world = await World.StartAsync(time, ownRedis: true);
        await using var redis = await world.Redis.ConnectAsync();
        var folder = world.Folder(settings => settings.Set("IotCredentials:Directory", $$"""
            { "Address": "{{world.Downstream.Url}}/organizations/{organizationId}", "CacheFor": "{{cacheFor}}", "AllowedAccounts": ["111122223333"] }
            """));
        var sealer = new Sealer(SealingKeys.Read(Path.Combine(folder.Path, "sealing-keys")));
        var (key, field) = (world.KeyPrefix + "forgotten", $"o-acme.{sealer.KeyIds[0]}");
        var generation = $"{DateTimeOffset.UtcNow.AddHours(-age).ToUnixTimeMilliseconds():D15}-0123ABCD";
        await redis.GetDatabase().HashSetAsync(key, field, sealer.Seal($"{key} {field}", Encoding.ASCII.GetBytes(generation)));

        await using var gateway = await RunningGateway.StartAsync(world, folder);

        // The start has polled once. A known generation that Redis has lost is written again by the next poll, which also logs the field that cannot be read.
        await redis.GetDatabase().KeyDeleteAsync(key);
        await redis.GetDatabase().HashSetAsync(key, "polled", "junk");
        await Eventually.IsTrueAsync(async () =>
        {
            await redis.GetSubscriber().PublishAsync(RedisChannel.Literal(key), "");
            return gateway.Log.Count(LogLevel.Warning, "are sealed with a key that this replica does not have") > 0;
        });
        Assert.Equal(stays, await redis.GetDatabase().HashExistsAsync(key, field));
    }

    [Fact]
    public async Task A_request_that_joins_a_pass_over_Redis_responds_after_its_own_entries_are_deleted()
    {
        await using var world = await World.StartAsync(ownRedis: true);
        await using var redis = await world.Redis.ConnectAsync();
        var gateway = await world.StartGatewayAsync(Operators);
        var others = Enumerable.Range(0, 60_000).Select(i => new KeyValuePair<RedisKey, RedisValue>($"{world.KeyPrefix}v2:{i:x16}-0-x", "x"));
        foreach (var some in others.Chunk(10_000)) await redis.GetDatabase().StringSetAsync(some);
        var token = OperatorsToken(world);

        for (var (round, tries) = (0, 0); round < 5; tries++)
        {
            await gateway.VendAsync("o-late");
            var (before, delayed) = (Own(), Delayed());
            var first = ForgetAsync(world, gateway, $"o-first{round}", token);
            await Task.Delay(20 * round, TestContext.Current.CancellationToken);
            Assert.Equal(204, (await ForgetAsync(world, gateway, "o-late", token)).Status);

            var after = Own();
            await first;
            if (Delayed() == delayed)
            {
                Assert.Equal(before - 1, after);
                round++;
                continue;
            }

            // Redis did not respond in time, so the entries are deleted later. Such a round shows nothing.
            Assert.InRange(tries, 0, 20);
            await Eventually.IsTrueAsync(() => Own() == before - 1);
        }

        int Own() => Entries(redis, world).Count(static key => !key.EndsWith("-0-x", StringComparison.Ordinal));

        int Delayed() => gateway.Log.Count(LogLevel.Error, "earlier entries could not be deleted from Redis");
    }

    [Fact]
    public async Task S15_an_operators_request_to_forget_is_an_audit_event_carried_out_or_refused()
    {
        await using var world = await World.StartAsync(ownRedis: true);
        var downIssuer = $"http://127.0.0.1:{FreePort.Find()}";
        var gateway = await world.StartGatewayAsync(settings =>
        {
            Operators(settings);
            settings["Authentication"]!["Schemes"]!["Down"] = settings["Authentication"]!["Schemes"]!["Platform"]!.DeepClone();
            settings["Authentication"]!["Schemes"]!["Down"]!["Authority"] = downIssuer;
        });

        await ForgetAsync(world, gateway, "o-done", OperatorsToken(world));
        // Its 503 is that of a token which cannot be judged: nothing is invalidated.
        await ForgetAsync(world, gateway, "o-unjudged", world.Issuer.Issue(new TokenRequest { Subject = "oscar", Issuer = downIssuer }));
        await ForgetAsync(world, gateway, "o-forbidden", world.Token("o-forbidden"));
        await ForgetAsync(world, gateway, "o-nobody", null);
        await ForgetAsync(world, gateway, "o-expired", world.Issuer.Issue(new TokenRequest { Subject = "oscar", Expires = TimeSpan.FromHours(-1) }));
        await ForgetAsync(world, gateway, "not%0aan%20id", OperatorsToken(world));
        await world.Redis.KillAsync();
        await ForgetAsync(world, gateway, "o-here", OperatorsToken(world));

        // The audit is written behind the response.
        await gateway.Log.WaitForAsync(LogLevel.Information, "organization o-here outcome");
        var issuer = world.Issuer.Issuer;
        foreach (var line in new[]
        {
            $"Invalidate credentials: issuer {issuer} subject oscar organization o-done outcome Done status 204 request ",
            $"Invalidate credentials: issuer {issuer} subject alice organization o-forbidden outcome Refused status 403 request ",
            "Invalidate credentials: issuer  subject  organization o-nobody outcome Refused status 401 request ",
            "Invalidate credentials: issuer  subject  organization o-expired outcome Refused status 401 request ",
            "Invalidate credentials: issuer  subject  organization o-unjudged outcome Refused status 503 request ",
            $"Invalidate credentials: issuer {issuer} subject oscar organization o-here outcome DoneHereOnly status 503 request ",
        }) Assert.True(gateway.Log.Count(LogLevel.Information, line) == 1, $"{line}\n{gateway.Log.Text}");
        Assert.Equal(7, gateway.Log.Count(LogLevel.Information, "Invalidate credentials: "));
        Assert.Equal(1, gateway.Log.Count(LogLevel.Information, "subject oscar organization not%0Aan%20id outcome Refused status 422 "));
    }

    private static List<string> Entries(ConnectionMultiplexer redis, World world) =>
        [.. redis.GetServers()[0].Keys(pattern: world.KeyPrefix + "v2:*").Select(key => (string)key!)];
}
