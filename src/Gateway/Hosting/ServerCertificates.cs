using System.Collections.Concurrent;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gateway.Telemetry;
using IotCredentials.Failures;

namespace Gateway.Hosting;

/// <summary>
/// Reloads the edge's certificates when the content of their files has changed, by whatever means. File watchers miss the symlink swap of a mounted secret, and
/// Kestrel's own reload closes the listener. Open connections keep their certificate.
/// </summary>
internal sealed partial class ServerCertificates : BackgroundService
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(500);

    // Keyed by every certificate that a file has held, because Kestrel reads the files at another moment.
    private readonly ConcurrentDictionary<string, Watched> _byThumbprint = new(StringComparer.Ordinal);
    private readonly List<Watched> _watched;
    private readonly TimeProvider _time;
    private readonly ILogger<ServerCertificates> _logger;

    public ServerCertificates(
        IConfiguration configuration, IHostEnvironment environment, GatewayMetrics metrics, TimeProvider time, ILogger<ServerCertificates> logger)
    {
        _time = time;
        _logger = logger;
        _watched = [.. CertificateFiles.In(configuration.GetSection("Kestrel"), environment.ContentRootPath).Distinct().Select(files => new Watched(files))];
        foreach (var watched in _watched)
        {
            watched.Seen = watched.Used = watched.Files.Digest();
            // If a certificate cannot be used at start, Kestrel itself refuses to start.
            TryLoad(watched, out _);
        }

        if (_watched.Count > 0)
            metrics.ObserveCertificates(() => from watched in _watched
                                              let certificate = watched.Current?.TargetCertificate
                                              where certificate is not null
                                              select (watched.Files.Path, new DateTimeOffset(certificate.NotAfter)));
    }

    /// <summary>Replaces the certificate that Kestrel loaded at start by the one that its file holds now.</summary>
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
        // A certificate and its key are two files. They match once neither changes any more.
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
        catch (Exception e)
        {
            // Such as a key of a kind that TLS does not use. An exception here would end the process.
            problem = e is CryptographicException ? e.Message : FailureText.Kinds(e);
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
        [LoggerMessage(EventIds.CertificateRenewed, LogLevel.Information, "The certificate of {Path} was renewed, and is good until {NotAfter:u}",
            EventName = nameof(EventIds.CertificateRenewed))]
        public static partial void Renewed(ILogger logger, string path, DateTime notAfter);

        [LoggerMessage(EventIds.CertificateKept, LogLevel.Error,
            "The certificate of {Path} was changed and cannot be used, and the one before stays in use: {Problem}",
            EventName = nameof(EventIds.CertificateKept))]
        public static partial void Kept(ILogger logger, string path, string problem);
    }
}
