using System.Collections.Concurrent;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gateway.Telemetry;

namespace Gateway.Hosting;

/// <summary>
/// The edge's certificates, read again when the content of their files has changed, however it was changed: file watchers miss the symlink
/// swap of a mounted secret, and Kestrel's own reload closes the listener for it. Connections that are open keep what they began with.
/// </summary>
internal sealed partial class ServerCertificates : BackgroundService
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(500);

    // By every certificate that a file was seen to hold: Kestrel has read the files at a moment of its own.
    private readonly ConcurrentDictionary<string, Watched> _byThumbprint = new(StringComparer.Ordinal);
    private readonly List<Watched> _watched;
    private readonly TimeProvider _time;
    private readonly ILogger<ServerCertificates> _logger;

    public ServerCertificates(IConfiguration configuration, IHostEnvironment environment, TimeProvider time, ILogger<ServerCertificates> logger)
    {
        _time = time;
        _logger = logger;
        _watched = [.. CertificateFiles.In(configuration.GetSection("Kestrel"), environment.ContentRootPath).Distinct().Select(files => new Watched(files))];
        foreach (var watched in _watched)
        {
            watched.Seen = watched.Used = watched.Files.Digest();
            // What cannot be used at start, Kestrel refuses to start with.
            TryLoad(watched, out _);
        }
    }

    /// <summary>Puts what a certificate's file holds now in the place of what Kestrel read from it at start.</summary>
    public void Renew(SslServerAuthenticationOptions options)
    {
        var configured = options.ServerCertificateContext?.TargetCertificate ?? options.ServerCertificate as X509Certificate2;
        if (configured is not null && _byThumbprint.TryGetValue(configured.Thumbprint, out var watched)) options.ServerCertificateContext = watched.Current;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_watched.Count == 0) return;
        using var timer = new PeriodicTimer(s_interval, _time);
        while (await timer.WaitForNextTickAsync(stoppingToken)) _watched.ForEach(Look);
    }

    private void Look(Watched watched)
    {
        var seen = watched.Files.Digest();
        // A certificate and its key are two files: they belong together once both are at rest.
        if (seen != watched.Seen)
        {
            watched.Seen = seen;
            return;
        }

        if (seen == watched.Used) return;
        watched.Used = seen;
        if (TryLoad(watched, out var problem)) Log.Renewed(_logger, watched.Files.Path, watched.Current!.TargetCertificate.NotAfter.ToUniversalTime());
        else Log.Kept(_logger, watched.Files.Path, problem);
    }

    private bool TryLoad(Watched watched, out string problem)
    {
        try
        {
            var loaded = watched.Files.Load();
            watched.Current = loaded;
            _byThumbprint[loaded.TargetCertificate.Thumbprint] = watched;
            problem = "";
            return true;
        }
        catch (CryptographicException e)
        {
            problem = e.Message;
            return false;
        }
    }

    private sealed class Watched(CertificateFiles files)
    {
        private volatile SslStreamCertificateContext? _current;

        public CertificateFiles Files { get; } = files;

        public string Seen { get; set; } = "";

        public string Used { get; set; } = "";

        public SslStreamCertificateContext? Current
        {
            get => _current;
            set => _current = value;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.CertificateRenewed, LogLevel.Information, "The certificate of {Path} was renewed, and is good until {NotAfter:u}")]
        public static partial void Renewed(ILogger logger, string path, DateTime notAfter);

        [LoggerMessage(EventIds.CertificateKept, LogLevel.Error, "The certificate of {Path} was changed and cannot be used, and the one before serves on: {Problem}")]
        public static partial void Kept(ILogger logger, string path, string problem);
    }
}
