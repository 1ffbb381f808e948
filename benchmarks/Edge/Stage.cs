using System.Text;
using Testing;

namespace Edge;

/// <summary>Everything that is measured, and all that it needs, on loopback.</summary>
internal sealed class Stage : IAsyncDisposable
{
    private const int Organizations = 1_000;
    private const int AtOnce = 16;

    // What the gateway vends: everybody answers as much.
    private const int AnswerBytes = 1_100;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("benchmarks-");
    private readonly List<IDisposable> _started = [];
    private readonly string _sealingKey = GatewayFolder.NewSealingKey();
    private readonly string _published;
    private readonly World _world;
    private Server _service = null!;

    private Stage(string published, World world)
    {
        _published = published;
        _world = world;
    }

    /// <summary>All that were asked for, started.</summary>
    public List<Target> Targets { get; } = [];

    /// <param name="published">The folder with the published <c>gateway</c> and <c>peers</c>.</param>
    /// <param name="wanted">Whether a target is.</param>
    public static async Task<Stage> StartAsync(string published, Predicate<string> wanted)
    {
        var stage = new Stage(published, await World.StartAsync(ownRedis: true));
        try
        {
            await stage.StartAsync(wanted);
            return stage;
        }
        catch
        {
            await stage.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var each in Enumerable.Reverse(_started)) each.Dispose();
        await _world.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private async Task StartAsync(Predicate<string> wanted)
    {
        var callers = Enumerable.Range(0, Organizations).Select(i => $"o-{i}").Select(organization => (Organization: organization, Token: _world.Token(organization))).ToArray();
        var devices = Write("devices", string.Concat(callers.Select(caller => $"/organizations/{caller.Organization}/devices\t{caller.Token}\n")));
        var credentials = Write("credentials", string.Concat(callers.Select(caller => $"{Requests.CredentialsPath(caller.Organization)}\t{caller.Token}\n")));
        var answer = $$"""{"data":"{{new string('x', AnswerBytes - """{"data":""}""".Length)}}"}""";
        var answerFile = Write("answer", answer);
        var key = Write("issuer.pem", Encoding.ASCII.GetString(_world.Issuer.CurrentKey.PublicKeyPem));
        _service = Started(await NginxAsync("service", port => Configurations.Service(port, answer)));

        await AddAsync("kestrel", "Kestrel, constant bytes", credentials, () => PeerAsync("kestrel", "--answer", answerFile));
        await AddAsync("kestrel-jwt", "Kestrel + JwtBearer, constant bytes", credentials, () => PeerAsync("kestrel-jwt", "--answer", answerFile, "--authority", _world.Issuer.Issuer));
        await AddAsync("yarp", "YARP", devices, () => PeerAsync("yarp", "--service", _service.Url));
        await AddAsync("yarp-jwt", "YARP + JwtBearer", devices, () => PeerAsync("yarp-jwt", "--service", _service.Url, "--authority", _world.Issuer.Issuer));
        await AddAsync("haproxy", "HAProxy, jwt_verify", devices, () => HaProxyAsync(key));
        await AddAsync("nginx", "nginx, no authentication", devices, () => NginxAsync("nginx", port => Configurations.NginxProxy(port, _service.Port)));
        await AddGatewayAsync("", "as shipped", quiet: false);
        await AddGatewayAsync("-quiet", "log lines off", quiet: true);

        foreach (var target in Targets) await CheckAsync(target, callers[0].Token);

        async Task AddAsync(string name, string what, string requests, Func<Task<Server>> start)
        {
            if (wanted(name)) Targets.Add(new(name, what, Started(await start()), requests));
        }

        async Task AddGatewayAsync(string suffix, string how, bool quiet)
        {
            var (pass, vend) = ($"pass{suffix}", $"vend{suffix}");
            if (!wanted(pass) && !wanted(vend)) return;
            var gateway = Started(await GatewayAsync($"gateway{suffix}", quiet));
            if (wanted(pass)) Targets.Add(new(pass, $"the gateway, pass-through, {how}", gateway, devices));
            if (wanted(vend)) Targets.Add(new(vend, $"the gateway, warm vend, {how}", gateway, credentials));
            if (!wanted(vend)) return;
            await Parallel.ForEachAsync(callers, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (caller, _) =>
                await AskAsync(gateway.Url + Requests.CredentialsPath(caller.Organization), caller.Token));
        }
    }

    private async Task CheckAsync(Target target, string token)
    {
        var path = File.ReadLines(target.Requests).First().Split('\t')[0];
        var answer = await AskAsync(target.Server.Url + path, token);
        if (Math.Abs(answer.Body.Length - AnswerBytes) > AnswerBytes / 20)
            throw new InvalidOperationException($"{target.Name} answers {answer.Body.Length} bytes, and others {AnswerBytes}: they would not be compared alike.");
    }

    private async Task<Answer> AskAsync(string url, string token)
    {
        var answer = await _world.Client.SendAsync(url, token);
        return answer.Status == 200 ? answer : throw new InvalidOperationException($"{url}: {answer.Status} {answer.Body}");
    }

    private Task<Server> PeerAsync(string name, params string[] arguments) =>
        Server.StartAsync(Output(name), port => ["dotnet", Path.Combine(_published, "peers", "Peers.dll"), name, "--urls", $"http://127.0.0.1:{port}", .. arguments]);

    private async Task<Server> GatewayAsync(string name, bool quiet)
    {
        var folder = new GatewayFolder(Configurations.Gateway(_world, _service.Url, quiet));
        _started.Add(folder);
        folder.Write("sealing-keys", _sealingKey);
        return await Server.StartAsync(
            Output(name),
            port => ["dotnet", Path.Combine(_published, "gateway", "Gateway.dll"), "--config", folder.Path, "--Urls", $"http://127.0.0.1:{port}", "--Management:Url", $"http://127.0.0.1:{FreePort.Find()}"],
            _world.Aws.EnvironmentVariables);
    }

    private Task<Server> NginxAsync(string name, Func<int, string> configuration)
    {
        var folder = _folder.CreateSubdirectory(name).FullName;
        return Server.StartAsync(Output(name), port =>
        {
            File.WriteAllText(Path.Combine(folder, "nginx.conf"), configuration(port));
            return ["nginx", "-p", folder, "-e", "stderr", "-c", "nginx.conf"];
        });
    }

    private Task<Server> HaProxyAsync(string key) =>
        Server.StartAsync(Output("haproxy"), port => ["haproxy", "-f", Write("haproxy.cfg", Configurations.HaProxy(port, _service.Port, key))]);

    private Server Started(Server server)
    {
        _started.Add(server);
        return server;
    }

    private string Output(string name) => Path.Combine(_folder.FullName, $"{name}.log");

    private string Write(string file, string content)
    {
        var path = Path.Combine(_folder.FullName, file);
        File.WriteAllText(path, content);
        return path;
    }
}
