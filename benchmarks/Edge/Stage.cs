using System.Text;
using System.Text.Json.Nodes;
using Testing;

namespace Edge;

/// <summary>Everything that is measured, and all that it needs, on loopback.</summary>
internal sealed class Stage : IAsyncDisposable
{
    /// <summary>The targets.</summary>
    public static readonly IReadOnlyList<string> Names =
        ["kestrel", "kestrel-jwt", "yarp", "yarp-jwt", "haproxy", "nginx", "pass", "vend", "pass-quiet", "vend-quiet"];

    private const int Organizations = 1_000;
    private const int AtOnce = 64;

    /// <summary>What the gateway vends: everybody answers as much.</summary>
    public const int AnswerBytes = 1_095;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("benchmarks-");
    private readonly List<IDisposable> _started = [];
    private readonly string _sealingKey = GatewayFolder.NewSealingKey();
    private readonly string _published;
    private Server _service = null!;

    private Stage(string published, World world)
    {
        _published = published;
        World = world;
    }

    /// <summary>Issuer, AWS and Redis.</summary>
    public World World { get; }

    /// <summary>The path of a request that is passed through, and its token.</summary>
    public (string Path, string Token) SomePassThrough { get; private set; }

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
        await World.DisposeAsync();
    }

    private async Task StartAsync(Predicate<string> wanted)
    {
        var callers = Enumerable.Range(0, Organizations)
            .Select(i => $"o-{i}")
            .Select(organization => (Organization: organization, Token: World.Token(organization)))
            .ToArray();
        var devices = WriteRequests("devices", callers.Select(caller => (DevicesPath(caller.Organization), caller.Token)));
        var credentials = WriteRequests("credentials", callers.Select(caller => (Requests.CredentialsPath(caller.Organization), caller.Token)));
        var answer = $$"""{"data":"{{new string('x', AnswerBytes - """{"data":""}""".Length)}}"}""";
        var answerFile = Write("answer", answer);
        var key = Write("issuer.pem", Encoding.ASCII.GetString(World.Issuer.CurrentKey.PublicKeyPem));
        _service = Started(await NginxAsync("service", port => Configurations.Service(port, answer)));

        SomePassThrough = (DevicesPath(callers[0].Organization), callers[0].Token);

        await AddAsync("kestrel", "Kestrel, constant bytes", credentials, () => PeerAsync("kestrel", "--answer", answerFile));
        await AddAsync(
            "kestrel-jwt", "Kestrel + JwtBearer, constant bytes", credentials,
            () => PeerAsync("kestrel-jwt", "--answer", answerFile, "--authority", World.Issuer.Issuer));
        await AddAsync("yarp", "YARP", devices, () => PeerAsync("yarp", "--service", _service.Url));
        await AddAsync("yarp-jwt", "YARP + JwtBearer", devices, () => PeerAsync("yarp-jwt", "--service", _service.Url, "--authority", World.Issuer.Issuer));
        await AddAsync("haproxy", "HAProxy, jwt_verify", devices, () => HaProxyAsync(World.Issuer.Issuer, key));
        await AddAsync("nginx", "nginx, no authentication", devices, () => NginxAsync("nginx", port => Configurations.NginxProxy(port, _service.Port)));
        await AddGatewayAsync("", "as shipped");
        await AddGatewayAsync("-quiet", "log lines off", Configurations.Quiet);

        foreach (var target in Targets) await CheckAsync(target, callers[0].Token);

        async Task AddAsync(string name, string what, string requests, Func<Task<Server>> start)
        {
            if (wanted(name)) Targets.Add(new(name, what, Started(await start()), requests));
        }

        async Task AddGatewayAsync(string suffix, string how, Action<JsonObject>? change = null)
        {
            var (pass, vend) = ($"pass{suffix}", $"vend{suffix}");
            if (!wanted(pass) && !wanted(vend)) return;
            var gateway = Started(await StartGatewayAsync($"gateway{suffix}", change));
            if (wanted(pass)) Targets.Add(new(pass, $"the gateway, pass-through, {how}", gateway.Server, devices));
            if (!wanted(vend)) return;
            Targets.Add(new(vend, $"the gateway, warm vend, {how}", gateway.Server, credentials));
            await AskForAllAsync(gateway, callers);
        }
    }

    private async Task CheckAsync(Target target, string token)
    {
        var path = File.ReadLines(target.Requests).First().Split('\t')[0];
        var answer = await AskAsync(target.Server.Url + path, token);
        if (answer.Body.Length != AnswerBytes)
            throw new InvalidOperationException(
                $"{target.Name} answers {answer.Body.Length} bytes, and others {AnswerBytes}: they would not be compared alike.");
    }

    /// <summary>Starts one more gateway, which the caller disposes of.</summary>
    /// <param name="name">Of the file for what it prints.</param>
    /// <param name="change">Changes what ships.</param>
    public async Task<Gateway> StartGatewayAsync(string name, Action<JsonObject>? change = null)
    {
        var settings = Configurations.Gateway(World, _service.Url);
        change?.Invoke(settings);
        var folder = new GatewayFolder(settings);
        folder.Write("sealing-keys", _sealingKey);
        var management = "";
        var server = await Server.StartAsync(
            Output(name),
            port =>
            {
                management = $"http://127.0.0.1:{FreePort.Find()}";
                return
                [
                    "dotnet", Path.Combine(_published, "gateway", "Gateway.dll"),
                    "--config", folder.Path,
                    "--Urls", $"http://127.0.0.1:{port}",
                    "--Management:Url", management
                ];
            },
            World.Aws.EnvironmentVariables);
        return new(server, management, folder);
    }

    /// <summary>Asks a gateway for the credentials of each organization once.</summary>
    public Task AskForAllAsync(Gateway gateway, IEnumerable<(string Organization, string Token)> callers) =>
        Parallel.ForEachAsync(callers, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (caller, _) =>
            await AskAsync(gateway.Url + Requests.CredentialsPath(caller.Organization), caller.Token));

    /// <summary>The answer, which is 200 or an exception.</summary>
    public async Task<Response> AskAsync(string url, string token)
    {
        var answer = await World.Client.SendAsync(url, token);
        return answer.Status == 200 ? answer : throw new InvalidOperationException($"{url}: {answer.Status} {answer.Body}");
    }

    private Task<Server> PeerAsync(string name, params string[] arguments) =>
        Server.StartAsync(
            Output(name), port => ["dotnet", Path.Combine(_published, "peers", "Peers.dll"), name, "--urls", $"http://127.0.0.1:{port}", .. arguments]);

    private Task<Server> NginxAsync(string name, Func<int, string> configuration)
    {
        var folder = _folder.CreateSubdirectory(name).FullName;
        return Server.StartAsync(Output(name), port =>
        {
            File.WriteAllText(Path.Combine(folder, "nginx.conf"), configuration(port));
            return ["nginx", "-p", folder, "-e", "stderr", "-c", "nginx.conf"];
        });
    }

    private Task<Server> HaProxyAsync(string issuer, string key) =>
        Server.StartAsync(Output("haproxy"), port => ["haproxy", "-f", Write("haproxy.cfg", Configurations.HaProxy(port, _service.Port, issuer, key))]);

    private T Started<T>(T started)
        where T : IDisposable
    {
        _started.Add(started);
        return started;
    }

    private static string DevicesPath(string organization) => $"/organizations/{organization}/devices";

    private string Output(string name) => Path.Combine(_folder.FullName, $"{name}.log");

    /// <summary>Writes a file as <see cref="Wrk"/> reads it; its path.</summary>
    public string WriteRequests(string file, IEnumerable<(string Path, string Token)> requests) =>
        Write(file, string.Concat(requests.Select(request => $"{request.Path}\t{request.Token}\n")));

    private string Write(string file, string content)
    {
        var path = Path.Combine(_folder.FullName, file);
        File.WriteAllText(path, content);
        return path;
    }
}
