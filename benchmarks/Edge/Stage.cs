using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Sandbox;
using Testing;

namespace Edge;

/// <summary>Everything that is measured, and all that it needs, on loopback.</summary>
internal sealed class Stage : IAsyncDisposable
{
    /// <summary>The targets.</summary>
    public static readonly IReadOnlyList<string> Names =
    [
        "kestrel", "kestrel-jwt", "yarp", "yarp-jwt", "yarp-user", "haproxy", "haproxy-quiet", "nginx", "nginx-auth",
        "pass", "vend", "pass-quiet", "vend-quiet", "pass-key", "pass-reload",
        "yarp-16k", "pass-16k", "yarp-1m", "pass-1m", "yarp-tls", "pass-tls",
        "yarp-h2", "pass-h2", "yarp-to-h2", "pass-to-h2",
    ];

    /// <summary>The targets of a quick run: those of the main goals.</summary>
    public static readonly IReadOnlyList<string> Few = ["kestrel", "kestrel-jwt", "yarp", "yarp-user", "haproxy", "pass", "vend", "pass-key"];

    private const int Organizations = 1_000;
    private const int AtOnce = 64;

    /// <summary>The size of a vend. Every peer responds with as many bytes.</summary>
    public const int ResponseBytes = 1_095;

    private const int MediumBytes = 16 * 1024;
    private const int LargeBytes = 1024 * 1024;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("benchmarks-");
    private readonly List<IDisposable> _started = [];
    private readonly string _sealingKey = GatewayFolder.NewSealingKey();
    private readonly string _published;
    private readonly X509Certificate2 _certificate = MakeCertificate();
    private readonly HttpClient _client;
    private Server _service = null!;

    private Stage(string published, World world)
    {
        _published = published;
        World = world;
        _client = new(new SocketsHttpHandler
        {
            SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.Equals(_certificate) == true },
        });
    }

    /// <summary>Issuer, AWS and Redis.</summary>
    public World World { get; }

    /// <summary>The path of a request that is passed through, and its token.</summary>
    public (string Path, string Token) SomePassThrough { get; private set; }

    /// <summary>The path of a request for credentials, and its token.</summary>
    public (string Path, string Token) SomeVend { get; private set; }

    /// <summary>The service behind the proxies.</summary>
    public string ServiceUrl => _service.Url;

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
        _client.Dispose();
        _certificate.Dispose();
        await World.DisposeAsync();
    }

    private async Task StartAsync(Predicate<string> wanted)
    {
        var callers = Enumerable.Range(0, Organizations)
            .Select(i => $"o-{i}")
            .Select(organization => (
                Organization: organization,
                Token: World.Issuer.Issue(new TokenRequest { Subject = organization, Organizations = (string[])[organization] })))
            .ToArray();
        var devices = WriteRequests("devices", callers.Select(caller => (DevicesPath(caller.Organization), caller.Token)));
        var credentials = WriteRequests("credentials", callers.Select(caller => (Requests.CredentialsPath(caller.Organization), caller.Token)));
        var (medium, large) = (RequestsOf("16k"), RequestsOf("1m"));
        var keys = callers.Select(caller => (caller.Organization, Key: RandomNumberGenerator.GetHexString(64))).ToArray();
        var withKeys = WriteRequestsWith(
            "keys", keys.Select(caller => (DevicesPath(caller.Organization), $"{Configurations.KeyHeader}: {caller.Key}")));
        var response = $$"""{"data":"{{new string('x', ResponseBytes - """{"data":""}""".Length)}}"}""";
        var responseFile = Write("response", response);
        var key = Write("issuer.pem", Encoding.ASCII.GetString(World.Issuer.CurrentKey.PublicKeyPem));
        var files = new[] { ("16k", Write("response.16k", new string('x', MediumBytes))), ("1m", Write("response.1m", new string('x', LargeBytes))) };
        _service = Started(await NginxAsync("service", port => Configurations.Service(port, response, files)));
        var certificate = Write("tls.crt", _certificate.ExportCertificatePem());
        var certificateKey = Write("tls.key", _certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        string[] tls = ["--Kestrel:Certificates:Default:Path", certificate, "--Kestrel:Certificates:Default:KeyPath", certificateKey];

        // One that speaks HTTP/2 without TLS speaks nothing else.
        var http2 = wanted("yarp-to-h2") || wanted("pass-to-h2")
            ? Started(await NginxAsync("service-h2", port => Configurations.Service(port, response, [], http2: true))).Url
            : "";

        SomePassThrough = (DevicesPath(callers[0].Organization), callers[0].Token);
        SomeVend = (Requests.CredentialsPath(callers[0].Organization), callers[0].Token);

        await AddAsync("kestrel", "Kestrel, constant bytes", credentials, () => StartPeerAsync("kestrel", "--response", responseFile));
        await AddAsync(
            "kestrel-jwt", "Kestrel + JwtBearer, constant bytes", credentials,
            () => StartPeerAsync("kestrel-jwt", "--response", responseFile, "--authority", World.Issuer.Issuer));
        await AddAsync("yarp", "YARP", devices, () => StartPeerAsync("yarp", "--service", _service.Url));
        await AddAsync(
            "yarp-jwt", "YARP + JwtBearer", devices, () => StartPeerAsync("yarp-jwt", "--service", _service.Url, "--authority", World.Issuer.Issuer));
        await AddAsync(
            "yarp-user", "YARP + JwtBearer + rate limiter + HTTP logging", devices,
            () => StartPeerAsync("yarp-user", "--service", _service.Url, "--authority", World.Issuer.Issuer));
        await AddAsync("haproxy", "HAProxy, jwt_verify, access log", devices, () => HaProxyAsync("haproxy", World.Issuer.Issuer, key, logs: true));
        await AddAsync("haproxy-quiet", "HAProxy, jwt_verify", devices, () => HaProxyAsync("haproxy-quiet", World.Issuer.Issuer, key, logs: false));
        await AddAsync("nginx", "nginx, no authentication", devices, () => NginxAsync("nginx", port => Configurations.NginxProxy(port, _service.Port)));
        await AddAsync("nginx-auth", "nginx, auth_request to Kestrel + JwtBearer, access log", devices, async () =>
        {
            var checker = await StartPeerAsync("kestrel-jwt", "--response", Write("nothing", ""), "--authority", World.Issuer.Issuer);
            return await NginxAsync("nginx-auth", port => Configurations.NginxWithChecker(port, _service.Port, checker.Port), checker);
        });
        await AddGatewayAsync("", "as shipped");
        await AddGatewayAsync("-quiet", "log lines off", Configurations.Quiet);
        await AddAsync("pass-key", "the gateway, pass-through by API key, as shipped", withKeys, () =>
            OneMoreGatewayAsync("pass-key", settings => Configurations.ApiKeys(settings, keys)));
        await AddReloadsAsync("pass-reload");
        await AddAsync("yarp-16k", "YARP, 16 KB", medium, () => StartPeerAsync("yarp", "--service", _service.Url), MediumBytes);
        await AddAsync("pass-16k", "the gateway, pass-through of 16 KB, as shipped", medium, () => OneMoreGatewayAsync("pass-16k"), MediumBytes);
        await AddAsync("yarp-1m", "YARP, 1 MB", large, () => StartPeerAsync("yarp", "--service", _service.Url), LargeBytes);
        await AddAsync("pass-1m", "the gateway, pass-through of 1 MB, as shipped", large, () => OneMoreGatewayAsync("pass-1m"), LargeBytes);
        await AddAsync("yarp-tls", "YARP, TLS", devices, () => PeerAsync("https", "yarp", ["--service", _service.Url, .. tls]));
        await AddAsync("pass-tls", "the gateway, pass-through, TLS, as shipped", devices, () =>
            OneMoreGatewayAsync("pass-tls", settings => Configurations.Tls(settings, certificate, certificateKey), "https"));
        await AddAsync(
            "yarp-h2", "YARP, HTTP/2 from clients, TLS", devices, () => PeerAsync("https", "yarp", ["--service", _service.Url, .. tls]),
            load: H2Load.RunAsync);
        await AddAsync("pass-h2", "the gateway, pass-through, HTTP/2 from clients, TLS, as shipped", devices, () =>
            OneMoreGatewayAsync("pass-h2", settings => Configurations.Tls(settings, certificate, certificateKey), "https"), load: H2Load.RunAsync);
        await AddAsync("yarp-to-h2", "YARP, HTTP/2 to the service", devices, () => StartPeerAsync("yarp", "--service", http2, "--version", "2"));
        await AddAsync("pass-to-h2", "the gateway, pass-through, HTTP/2 to the service, as shipped", devices, () =>
            OneMoreGatewayAsync("pass-to-h2", settings => Configurations.ToHttp2(settings, http2)));

        foreach (var target in Targets) await CheckAsync(target);

        string RequestsOf(string file) =>
            WriteRequests(file, callers.Select(caller => ($"/organizations/{caller.Organization}/{file}", caller.Token)));

        async Task AddAsync(string name, string what, string requests, Func<Task<Server>> start, int bytes = ResponseBytes, Load? load = null)
        {
            if (wanted(name)) Targets.Add(new(name, what, Started(await start()), requests, bytes, load ?? Wrk.RunAsync));
        }

        // Its folder goes with all temporary files of this program.
        async Task<Server> OneMoreGatewayAsync(string name, Action<JsonObject>? change = null, string scheme = "http") =>
            (await StartGatewayAsync(name, change, scheme)).Server;

        async Task AddGatewayAsync(string suffix, string how, Action<JsonObject>? change = null)
        {
            var (pass, vend) = ($"pass{suffix}", $"vend{suffix}");
            if (!wanted(pass) && !wanted(vend)) return;
            var gateway = Started(await StartGatewayAsync($"gateway{suffix}", change));
            if (wanted(pass)) Targets.Add(new(pass, $"the gateway, pass-through, {how}", gateway.Server, devices, ResponseBytes, Wrk.RunAsync));
            if (!wanted(vend)) return;
            Targets.Add(new(vend, $"the gateway, warm vend, {how}", gateway.Server, credentials, ResponseBytes, Wrk.RunAsync));
            await AskForAllAsync(gateway, callers);
        }

        async Task AddReloadsAsync(string name)
        {
            if (!wanted(name)) return;
            var gateway = Started(await StartGatewayAsync(name));
            var reloads = new Reloads(gateway, World.Client);
            Targets.Add(new(
                name, "the gateway, pass-through, as shipped, a change saved each half second", gateway.Server, devices, ResponseBytes,
                Wrk.RunAsync, reloads.WhileSavingAsync));
        }
    }

    private async Task CheckAsync(Target target)
    {
        var request = File.ReadLines(target.Requests).First().Split('\t');
        var header = request[1].Split(": ");
        var response = await _client.SendAsync(
            target.Server.Url + request[0], change: message => message.Headers.TryAddWithoutValidation(header[0], header[1]));
        if (response.Status != 200 || response.Body.Length != target.Bytes)
            throw new InvalidOperationException(
                $"{target.Name} responds {response.Status} with {response.Body.Length} bytes, and others {target.Bytes}: they would not be compared alike.");
    }

    /// <summary>Starts one more gateway, which the caller disposes of.</summary>
    /// <param name="name">Of the file for what it prints.</param>
    /// <param name="change">Changes what ships.</param>
    /// <param name="scheme">How it is asked.</param>
    /// <param name="environment">Variables beside those that lead to AWS.</param>
    public async Task<Gateway> StartGatewayAsync(
        string name, Action<JsonObject>? change = null, string scheme = "http", IReadOnlyDictionary<string, string>? environment = null)
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
                    "--Urls", $"{scheme}://127.0.0.1:{port}",
                    "--Management:Url", management
                ];
            },
            [.. World.Aws.EnvironmentVariables, .. environment ?? new Dictionary<string, string>()], scheme);
        return new(server, management, folder);
    }

    /// <summary>Starts one of the peers, which the caller disposes of.</summary>
    public Task<Server> StartPeerAsync(string name, params string[] arguments) => PeerAsync("http", name, arguments);

    /// <inheritdoc cref="StartPeerAsync(string, string[])"/>
    public Task<Server> StartPeerAsync(IReadOnlyDictionary<string, string> environment, string name, params string[] arguments) =>
        PeerAsync("http", name, arguments, environment);

    /// <summary>Asks a gateway for the credentials of each organization once.</summary>
    public Task AskForAllAsync(Gateway gateway, IEnumerable<(string Organization, string Token)> callers) =>
        Parallel.ForEachAsync(callers, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (caller, _) =>
            await AskAsync(gateway.Url + Requests.CredentialsPath(caller.Organization), caller.Token));

    /// <summary>Callers of organizations, of which so many share a token.</summary>
    public IEnumerable<(string Organization, string Token)> CallersOf(IEnumerable<string> organizations, int inOneToken) =>
        organizations.Chunk(inOneToken).SelectMany(chunk =>
        {
            var token = World.Token(chunk);
            return chunk.Select(organization => (organization, token));
        });

    /// <summary>The response, which is 200 or an exception.</summary>
    public async Task<Response> AskAsync(string url, string token)
    {
        var response = await World.Client.SendAsync(url, token);
        return response.Status == 200 ? response : throw new InvalidOperationException($"{url}: {response.Status} {response.Body}");
    }

    private Task<Server> PeerAsync(string scheme, string name, string[] arguments, IReadOnlyDictionary<string, string>? environment = null) =>
        Server.StartAsync(
            Output(name), port => ["dotnet", Path.Combine(_published, "peers", "Peers.dll"), name, "--urls", $"{scheme}://127.0.0.1:{port}", .. arguments],
            environment, scheme);

    private Task<Server> NginxAsync(string name, Func<int, string> configuration, Server? helper = null)
    {
        var folder = _folder.CreateSubdirectory(name).FullName;
        return Server.StartAsync(Output(name), port =>
        {
            File.WriteAllText(Path.Combine(folder, "nginx.conf"), configuration(port));
            return ["nginx", "-p", folder, "-e", "stderr", "-c", "nginx.conf"];
        }, helper: helper);
    }

    private Task<Server> HaProxyAsync(string name, string issuer, string key, bool logs) => Server.StartAsync(
        Output(name), port => ["haproxy", "-f", Write($"{name}.cfg", Configurations.HaProxy(port, _service.Port, issuer, key, logs))]);

    private static X509Certificate2 MakeCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = DateTimeOffset.UtcNow;
        return new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }

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
        WriteRequestsWith(file, requests.Select(request => (request.Path, $"Authorization: Bearer {request.Token}")));

    private string WriteRequestsWith(string file, IEnumerable<(string Path, string Header)> requests) =>
        Write(file, string.Concat(requests.Select(request => $"{request.Path}\t{request.Header}\n")));

    private string Write(string file, string content)
    {
        var path = Path.Combine(_folder.FullName, file);
        File.WriteAllText(path, content);
        return path;
    }
}
