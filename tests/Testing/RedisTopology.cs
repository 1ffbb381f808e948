using System.Globalization;
using System.Net;

namespace Testing;

/// <summary>Redis as operators run it: one server, a cluster, or a primary and its replicas behind Sentinel.</summary>
public abstract class RedisTopology : IAsyncDisposable
{
    public const string OneServer = "one server";
    public const string Cluster = "Cluster";
    public const string TlsServer = "one server with TLS";
    public const string TlsCluster = "Cluster with TLS";
    public const string Ipv6Cluster = "Cluster by IPv6";
    public const string Garnet = "Garnet";
    public const string Sentinel = "Sentinel";

    // The nodes of a cluster announce their address, which the certificate does not have.
    private static readonly string[] s_tlsNames = ["localhost", "redis.internal"];

    /// <summary>
    /// The topologies that the Redis of this run supports and a gateway in this process can use: Garnet is one server, and TLS needs a process with the
    /// topology's <see cref="Environment"/>.
    /// </summary>
    public static IEnumerable<string> Names => RedisServer.IsReal ? [OneServer, Cluster, Sentinel] : [OneServer];

    public virtual string ConnectionString => string.Join(',', EndPoints);

    /// <summary>The servers or sentinels of the connection string.</summary>
    public abstract IReadOnlyList<string> EndPoints { get; }

    /// <summary>The environment variables with which a gateway trusts the servers' certificates.</summary>
    public virtual IReadOnlyDictionary<string, string> Environment { get; } = new Dictionary<string, string>();

    /// <summary>The servers that hold keys, or copies of them.</summary>
    public abstract IReadOnlyList<RedisServer> Servers { get; }

    public virtual IReadOnlyList<RedisServer> Sentinels { get; } = [];

    public static async Task<RedisTopology> StartAsync(string name)
    {
        RedisTopology redis = name switch
        {
            Cluster => new RedisCluster(),
            TlsCluster => new RedisCluster(new PrivateAuthority()),
            Ipv6Cluster => new RedisCluster(address: "::1"),
            TlsServer => new RedisWithTls(),
            Garnet => new RedisAlone(RedisServer.StartGarnetAsync),
            Sentinel => new RedisBehindSentinel(),
            _ => new RedisAlone(RedisServer.StartProcessAsync),
        };
        try
        {
            await redis.StartAsync();
            await redis.SettleAsync();
            return redis;
        }
        catch
        {
            await redis.DisposeAsync();
            throw;
        }
    }

    /// <summary>Any primary.</summary>
    public abstract Task<RedisServer> PrimaryAsync();

    /// <summary>A primary and all its replicas.</summary>
    public virtual Task<IReadOnlyList<RedisServer>> ShardAsync() => Task.FromResult(Servers);

    /// <summary>Promotes a replica of a primary, if there is one, and waits until it is the primary.</summary>
    public abstract Task FailOverAsync();

    /// <summary>Does what an operator must do when the topology does not recover by itself.</summary>
    public virtual Task MendAsync() => Task.CompletedTask;

    /// <summary>Waits until the topology is complete and in sync; which node is the primary does not matter.</summary>
    public abstract Task SettleAsync();

    public virtual async ValueTask DisposeAsync()
    {
        foreach (var server in Servers) await server.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private protected abstract Task StartAsync();

    // A node that starts or changes its role closes connections and rejects commands.
    private protected static Task EventuallyAsync(Func<Task<bool>> condition, Func<string>? failure = null) => Eventually.IsTrueAsync(async () =>
    {
        try
        {
            return await condition();
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException or InvalidOperationException)
        {
            return false;
        }
    }, failure);

    private protected static async Task<bool> IsPrimaryAsync(RedisServer server)
    {
        try
        {
            return (await server.ExecuteAsync("ROLE")).StartsWith("master\n", StringComparison.Ordinal);
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException)
        {
            return false;
        }
    }

    private class RedisAlone(Func<Task<RedisServer>> start) : RedisTopology
    {
        private readonly List<RedisServer> _servers = [];

        public override IReadOnlyList<string> EndPoints => [_servers[0].ConnectionString];

        public override IReadOnlyList<RedisServer> Servers => _servers;

        private protected override async Task StartAsync() => _servers.Add(await start());

        public override Task<RedisServer> PrimaryAsync() => Task.FromResult(_servers[0]);

        public override Task FailOverAsync() => Task.CompletedTask;

        public override Task SettleAsync() => Task.CompletedTask;
    }

    private sealed class RedisWithTls(PrivateAuthority authority) : RedisAlone(() => RedisServer.StartTlsAsync(authority.RedisOptions(s_tlsNames)))
    {
        public RedisWithTls()
            : this(new PrivateAuthority())
        {
        }

        public override string ConnectionString => base.ConnectionString + ",ssl=true";

        public override IReadOnlyList<string> EndPoints => [$"localhost:{Servers[0].TlsPort}"];

        public override IReadOnlyDictionary<string, string> Environment => authority.Environment;

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            authority.Dispose();
        }
    }

    private sealed class RedisCluster(PrivateAuthority? authority = null, string address = "127.0.0.1") : RedisTopology
    {
        private const int Primaries = 3;
        private const int Slots = 16384;

        // Each fault hits another shard, in the same order in every run.
        private readonly Random _random = new(1);
        private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("redis-cluster-");
        private readonly List<RedisServer> _servers = [];

        public override string ConnectionString => base.ConnectionString + (authority is null ? "" : ",ssl=true");

        public override IReadOnlyList<string> EndPoints =>
        [
            .. _servers.Select(server => authority is not null ? $"localhost:{server.TlsPort}"
                : new IPEndPoint(IPAddress.Parse(address), server.Port).ToString()),
        ];

        public override IReadOnlyDictionary<string, string> Environment => authority?.Environment ?? base.Environment;

        public override IReadOnlyList<RedisServer> Servers => _servers;

        private protected override async Task StartAsync()
        {
            var certificate = authority?.RedisOptions(s_tlsNames);
            var buses = new List<string>();
            for (var i = 0; i < 2 * Primaries; i++)
            {
                buses.Add(FreePort.Find().ToString(CultureInfo.InvariantCulture));
                string[] options =
                [
                    "--cluster-enabled", "yes", "--cluster-port", buses[i], "--cluster-config-file", Path.Combine(_directory.FullName, $"{i}.conf"),
                    "--cluster-node-timeout", "1000", "--cluster-replica-validity-factor", "0",
                ];
                var server = certificate is null ? await RedisServer.StartAsync(options)
                    : await RedisServer.StartTlsAsync([.. options, .. certificate, "--tls-cluster", "yes", "--tls-replication", "yes"]);
                _servers.Add(server);
                await server.ExecuteAsync("CLUSTER", "SET-CONFIG-EPOCH", (i + 1).ToString(CultureInfo.InvariantCulture));
                if (i >= Primaries) continue;
                var (first, last) = (i * Slots / Primaries, ((i + 1) * Slots / Primaries) - 1);
                await server.ExecuteAsync(
                    "CLUSTER", "ADDSLOTSRANGE", first.ToString(CultureInfo.InvariantCulture), last.ToString(CultureInfo.InvariantCulture));
            }

            for (var i = 1; i < _servers.Count; i++)
            {
                var port = authority is null ? _servers[i].Port : _servers[i].TlsPort;
                await _servers[0].ExecuteAsync("CLUSTER", "MEET", address, port.ToString(CultureInfo.InvariantCulture), buses[i]);
            }

            for (var i = 0; i < Primaries; i++)
            {
                var (primary, replica) = (await _servers[i].ExecuteAsync("CLUSTER", "MYID"), _servers[Primaries + i]);
                await Eventually.IsTrueAsync(async () => (await replica.ExecuteAsync("CLUSTER", "NODES")).Contains(primary, StringComparison.Ordinal));
                await replica.ExecuteAsync("CLUSTER", "REPLICATE", primary);
            }
        }

        public override async Task<RedisServer> PrimaryAsync()
        {
            foreach (var server in _servers.OrderBy(_ => _random.Next()))
                if (await IsPrimaryAsync(server)) return server;
            throw new InvalidOperationException("No node of the cluster is a primary.");
        }

        public override async Task<IReadOnlyList<RedisServer>> ShardAsync()
        {
            var primary = await PrimaryAsync();
            var replicas = await primary.ExecuteAsync("CLUSTER", "REPLICAS", await primary.ExecuteAsync("CLUSTER", "MYID"));
            return [primary, .. _servers.Where(server => replicas.Contains($"{address}:{server.Port}@", StringComparison.Ordinal))];
        }

        public override async Task FailOverAsync()
        {
            foreach (var server in _servers.OrderBy(_ => _random.Next()))
            {
                if (await IsPrimaryAsync(server)) continue;
                // Without TAKEOVER it gives up silently if the other nodes do not agree in time.
                await server.ExecuteAsync("CLUSTER", "FAILOVER", "TAKEOVER");
                await Eventually.IsTrueAsync(() => IsPrimaryAsync(server));
                return;
            }
        }

        public override Task SettleAsync() => EventuallyAsync(async () =>
        {
            var primaries = 0;
            foreach (var server in _servers)
            {
                if (await IsPrimaryAsync(server)) primaries++;
                else if (!(await server.ExecuteAsync("INFO", "replication")).Contains("master_link_status:up", StringComparison.Ordinal)) return false;
                if (!(await server.ExecuteAsync("CLUSTER", "INFO")).Contains("cluster_state:ok", StringComparison.Ordinal)) return false;
            }

            return primaries == Primaries;
        });

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            _directory.Delete(recursive: true);
            authority?.Dispose();
        }
    }

    private sealed class RedisBehindSentinel : RedisTopology
    {
        private const string Name = "gateway";

        private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("redis-sentinel-");
        private readonly List<RedisServer> _servers = [];
        private readonly List<RedisServer> _sentinels = [];

        public override string ConnectionString => $"{base.ConnectionString},serviceName={Name}";

        public override IReadOnlyList<string> EndPoints => [.. _sentinels.Select(static sentinel => sentinel.ConnectionString)];

        public override IReadOnlyList<RedisServer> Sentinels => _sentinels;

        public override IReadOnlyList<RedisServer> Servers => _servers;

        private protected override async Task StartAsync()
        {
            _servers.Add(await RedisServer.StartAsync());
            var primary = _servers[0].Port.ToString(CultureInfo.InvariantCulture);
            for (var i = 0; i < 2; i++) _servers.Add(await RedisServer.StartAsync("--replicaof", "127.0.0.1", primary));
            for (var i = 0; i < 3; i++)
            {
                // Sentinel keeps its state in its configuration file.
                var file = Path.Combine(_directory.FullName, $"{i}.conf");
                await File.WriteAllTextAsync(
                    file,
                    $"""
                    sentinel monitor {Name} 127.0.0.1 {primary} 2
                    sentinel down-after-milliseconds {Name} 1000
                    sentinel failover-timeout {Name} 3000
                    sentinel parallel-syncs {Name} 2

                    """);
                _sentinels.Add(await RedisServer.StartSentinelAsync(file));
            }
        }

        public override async Task<RedisServer> PrimaryAsync()
        {
            var port = (await _sentinels[0].ExecuteAsync("SENTINEL", "GET-MASTER-ADDR-BY-NAME", Name)).Split('\n')[1];
            return _servers.Single(server => server.Port.ToString(CultureInfo.InvariantCulture) == port);
        }

        public override async Task FailOverAsync()
        {
            var before = await PrimaryAsync();
            var response = "nothing";
            await EventuallyAsync(async () =>
            {
                if (await PrimaryAsync() is var now && now != before) return await IsPrimaryAsync(now);
                try
                {
                    // Sentinel gives up silently if no replica has taken over within failover-timeout.
                    response = await _sentinels[0].ExecuteAsync("SENTINEL", "FAILOVER", Name);
                }
                catch (InvalidOperationException refusal)
                {
                    // Sentinel rejects the command while a failover is in progress.
                    response = refusal.Message;
                }

                return false;
            }, () => $"Sentinel says {response}.");
        }

        /// <summary>
        /// A sentinel that has not yet learned of a failover demotes the new primary when the old one is back. Then each node is a replica of another, and the
        /// sentinels promote none, because the replicas have been without their primary for longer than ten times down-after-milliseconds.
        /// </summary>
        public override async Task MendAsync()
        {
            foreach (var server in _servers)
                if (await IsPrimaryAsync(server)) return;
            try
            {
                await (await PrimaryAsync()).ExecuteAsync("REPLICAOF", "NO", "ONE");
            }
            catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException)
            {
                // The primary is down, which the sentinels handle.
            }
        }

        public override Task SettleAsync() => EventuallyAsync(async () =>
        {
            await MendAsync();
            var primary = await PrimaryAsync();
            foreach (var server in _servers)
            {
                if (server == primary ? !await IsPrimaryAsync(server)
                    : !(await server.ExecuteAsync("INFO", "replication")).Contains("master_link_status:up", StringComparison.Ordinal)) return false;
            }

            foreach (var sentinel in _sentinels)
            {
                var others = await sentinel.ExecuteAsync("SENTINEL", "SENTINELS", Name);
                var replicas = await sentinel.ExecuteAsync("SENTINEL", "REPLICAS", Name);
                string[] unhealthy = ["down,", "down\n", "disconnected"];
                if (Count(others, "runid\n") != 2 || Count(replicas, "runid\n") != 2
                    || unhealthy.Any(state => (others + replicas).Contains(state, StringComparison.Ordinal))) return false;
            }

            return true;
        });

        public override async ValueTask DisposeAsync()
        {
            foreach (var sentinel in _sentinels) await sentinel.DisposeAsync();
            await base.DisposeAsync();
            _directory.Delete(recursive: true);
        }

        private static int Count(string text, string part) => text.Split(part).Length - 1;
    }
}
