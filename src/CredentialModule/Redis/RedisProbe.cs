using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using IotCredentials.Failures;
using StackExchange.Redis;

namespace IotCredentials.Redis;

/// <summary>
/// Determines why Redis cannot be used, by connecting to it as the client would and sending the commands that the gateway needs. The client's own events do not
/// show the cause: a wrong password, a TLS mismatch and a paused server all end as a closed socket or a command that timed out.
/// </summary>
/// <param name="options">The connection.</param>
/// <param name="keyPrefix">The prefix of every key of the gateway.</param>
/// <param name="timeout">The longest that the connection, and each response, may take.</param>
internal sealed class RedisProbe(ConfigurationOptions options, string keyPrefix, TimeSpan timeout)
{
    /// <summary>The longest that the TLS handshake may take. Default: as long as a response.</summary>
    public TimeSpan? HandshakeTimeout { get; init; }

    /// <summary>The servers, as <c>host:port</c>.</summary>
    public string EndPoints { get; } = string.Join(", ", options.EndPoints.Select(Show));

    /// <summary>The first problem among nodes that are all needed.</summary>
    public async Task<RedisProblem?> FindAsync(IEnumerable<EndPoint> needed, CancellationToken cancellation)
    {
        foreach (var endPoint in needed)
            if (await FindAsync(endPoint, isSentinel: false, cancellation) is { } problem) return problem with { At = Show(endPoint) };
        return null;
    }

    /// <summary>The problem of the connection string's first node; null if any node works.</summary>
    public async Task<RedisProblem?> FindAsync(CancellationToken cancellation)
    {
        RedisProblem? first = null;
        foreach (var endPoint in options.EndPoints)
        {
            if (await FindAsync(endPoint, options.ServiceName is not null, cancellation) is not { } problem) return null;
            // The sentinels name the same primary.
            if (problem.At is not null) return problem;
            first ??= problem;
        }

        return first;
    }

    private async Task<RedisProblem?> FindAsync(EndPoint endPoint, bool isSentinel, CancellationToken cancellation)
    {
        var (host, port) = endPoint switch
        {
            DnsEndPoint dns => (dns.Host, dns.Port),
            IPEndPoint ip => (ip.Address.ToString(), ip.Port),
            // A Unix socket is not probed: the client reports its problems itself.
            _ => ("", 0),
        };
        if (host.Length == 0) return null;
        if (port == 0) port = options.Ssl ? 6380 : 6379;

        try
        {
            return await AskAsync(host, port, isSentinel, cancellation);
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode switch
            {
                SocketError.ConnectionRefused => RedisProblem.Refused,
                SocketError.ConnectionReset or SocketError.ConnectionAborted => RedisProblem.Closed,
                SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData or SocketError.NoRecovery => RedisProblem.NameNotResolved,
                _ => RedisProblem.Unreachable,
            };
        }
        catch (CertificateException e)
        {
            return RedisProblem.Certificate(e.Message);
        }
        catch (ConnectTimeoutException)
        {
            return RedisProblem.Unreachable;
        }
        catch (Exception e) when (e is IOException or AuthenticationException or TimeoutException)
        {
            // Connecting the other way, with or without TLS, distinguishes a TLS mismatch from a server that does not respond or closes the connection.
            return await SpeaksAsync(host, port, withTls: !options.Ssl, cancellation) ? (options.Ssl ? RedisProblem.SpeaksNoTls : RedisProblem.ExpectsTls)
                : e is TimeoutException ? RedisProblem.Silent
                // With TLS 1.3 a server refuses the client's certificate after the handshake.
                : e is AuthenticationException or ClosedAfterHandshakeException ? RedisProblem.ClosedInTls
                : RedisProblem.Closed;
        }
    }

    private async Task<RedisProblem?> AskAsync(string host, int port, bool isSentinel, CancellationToken cancellation)
    {
        using var client = await ConnectAsync(host, port, cancellation);
        await using Stream stream = options.Ssl
            ? await SecureAsync(client, host, verifies: true, HandshakeTimeout ?? timeout, cancellation)
            : client.GetStream();
        var session = new Session(stream, timeout, cancellation);
        try
        {
            return await AskAsync(session, host, port, isSentinel, cancellation);
        }
        catch (IOException) when (options.Ssl && !session.HasResponded)
        {
            throw new ClosedAfterHandshakeException();
        }
    }

    private async Task<RedisProblem?> AskAsync(Session session, string host, int port, bool isSentinel, CancellationToken cancellation)
    {
        var (user, password) = isSentinel ? (options.SentinelUser, options.SentinelPassword) : (options.User, options.Password);
        // As the client does: a user may have no password.
        if (!string.IsNullOrEmpty(user) || !string.IsNullOrEmpty(password))
        {
            string[] auth = string.IsNullOrEmpty(user) ? ["AUTH", password!] : ["AUTH", user, password ?? ""];
            if (await session.ProblemOfAsync(auth) is { } refusal) return refusal;
        }

        if (await session.ProblemOfAsync("PING") is { } problem) return problem;
        if (isSentinel) return await FindPrimaryAsync(session, host, port, cancellation);

        if (options.DefaultDatabase is > 0 and var database)
        {
            var number = database.ToString(CultureInfo.InvariantCulture);
            if (await session.ProblemOfAsync("SELECT", number) is { } unselected)
                return unselected.Code == RedisProblem.OtherError ? RedisProblem.NoDatabase(number) : unselected;
        }

        var key = keyPrefix + "probe";
        var hash = key + "-hash";
        // The commands that the cache, the locks, the generations and their notices need.
        string[][] needed =
        [
            ["SET", key, "", "PX", "1000"],
            ["HMSET", hash, "data", ""], ["HSET", hash, "data", ""], ["EXPIRE", hash, "1"], ["PEXPIRE", hash, "1000"], ["HGET", hash + "-none", "data"],
            ["HGETALL", hash + "-none"], ["HDEL", hash, "none"], ["EXISTS", key + "-none"], ["PTTL", key + "-none"], ["UNLINK", hash], ["GET", key + "-none"],
            // A response in a transaction is one line.
            ["WATCH", hash], ["MULTI"], ["TIME"], ["DISCARD"], ["UNWATCH"], ["MULTI"], ["EXEC"],
            ["EVAL", "return 1", "0"], ["SCRIPT", "LOAD", "return 1"], ["EVALSHA", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "0"],
            ["SCAN", "0", "MATCH", key + "-none", "COUNT", "1"], ["PUBLISH", key, ""], ["SUBSCRIBE", key],
        ];
        foreach (var command in needed)
            if (await session.ProblemOfAsync(command) is { } found) return found;
        return null;
    }

    // A sentinel only names the primary. A server that is none holds the keys itself, and the client uses it as it is.
    private async Task<RedisProblem?> FindPrimaryAsync(Session session, string sentinel, int port, CancellationToken cancellation)
    {
        var response = await session.SendAsync("SENTINEL", "get-master-addr-by-name", options.ServiceName!);
        if (response is ['-', .. var error])
        {
            var problem = RedisProblem.OfError(error, "SENTINEL");
            return problem == RedisProblem.Missing("SENTINEL") ? await AskAsync(sentinel, port, isSentinel: false, cancellation) : problem;
        }

        if (response.Split("\r\n") is not [_, _, var host, _, var number, ..]) return RedisProblem.UnknownService;
        var primary = int.Parse(number, CultureInfo.InvariantCulture);
        EndPoint endPoint = IPAddress.TryParse(host, out var address) ? new IPEndPoint(address, primary) : new DnsEndPoint(host, primary);
        return await FindAsync([endPoint], cancellation);
    }

    // As the client does: if the connection string has one host, its name is also that of nodes that are known by their addresses, as in a cluster.
    private string TlsNameOf(string host) =>
        options.SslHost is { Length: > 0 } name ? name
        : IPAddress.TryParse(host, out _) ? options.Defaults.GetSslHostFromEndpoints(options.EndPoints) ?? host
        : host;

    private static string? Show(EndPoint endPoint) => endPoint is DnsEndPoint dns ? $"{dns.Host}:{dns.Port}" : endPoint.ToString();

    private async Task<bool> SpeaksAsync(string host, int port, bool withTls, CancellationToken cancellation)
    {
        try
        {
            using var client = await ConnectAsync(host, port, cancellation);
            if (withTls)
            {
                await using var secured = await SecureAsync(client, host, verifies: false, timeout, cancellation);
                return true;
            }

            await new Session(client.GetStream(), timeout, cancellation).SendAsync("PING");
            return true;
        }
        catch (Exception e) when (e is IOException or AuthenticationException or TimeoutException or SocketException or ConnectTimeoutException)
        {
            return false;
        }
    }

    private async Task<TcpClient> ConnectAsync(string host, int port, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(timeout);
        var client = new TcpClient();
        try
        {
            await client.ConnectAsync(host, port, deadline.Token);
            return client;
        }
        catch (Exception e)
        {
            client.Dispose();
            if (e is OperationCanceledException && !cancellation.IsCancellationRequested) throw new ConnectTimeoutException();
            throw;
        }
    }

    private async Task<SslStream> SecureAsync(TcpClient client, string host, bool verifies, TimeSpan longest, CancellationToken cancellation)
    {
        string? errors = null;
        using var ownCertificate = OwnCertificate();
        var stream = new SslStream(client.GetStream());
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(longest);
        try
        {
            await stream.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = TlsNameOf(host),
                    LocalCertificateSelectionCallback = ownCertificate is null ? null : (_, _, _, _, _) => ownCertificate,
                    RemoteCertificateValidationCallback = (_, _, chain, found) =>
                    {
                        if (found == SslPolicyErrors.None || !verifies) return true;
                        var causes = chain?.ChainStatus.Select(status => status.Status.ToString()) ?? [];
                        errors = string.Join(", ", causes.Prepend(found.ToString()).Distinct());
                        return false;
                    },
                },
                deadline.Token);
            return stream;
        }
        catch (Exception e)
        {
            await stream.DisposeAsync();
            if (errors is not null) throw new CertificateException(errors);
            if (e is OperationCanceledException && !cancellation.IsCancellationRequested) throw new TimeoutException();
            throw;
        }
    }

    // The client reads its certificate from these variables.
    private static X509Certificate2? OwnCertificate() =>
        Environment.GetEnvironmentVariable("SERedis_ClientCertPfxPath") is { Length: > 0 } path && File.Exists(path)
            ? X509CertificateLoader.LoadPkcs12FromFile(path, Environment.GetEnvironmentVariable("SERedis_ClientCertPassword"))
            : null;

    /// <summary>Sends commands one after another.</summary>
    private sealed class Session(Stream stream, TimeSpan timeout, CancellationToken cancellation)
    {
        private const int LongestResponse = 512;

        private readonly byte[] _buffer = new byte[LongestResponse];

        /// <summary>Whether the server has responded to a command.</summary>
        public bool HasResponded { get; private set; }

        /// <summary>Sends a command. Returns the problem that its error response stands for, or null.</summary>
        /// <exception cref="TimeoutException">There was no response in time.</exception>
        /// <exception cref="IOException">The connection was closed, or the response is not one of Redis's.</exception>
        public async Task<RedisProblem?> ProblemOfAsync(params string[] command) =>
            await SendAsync(command) is ['-', .. var error] ? RedisProblem.OfError(error, command[0]) : null;

        /// <summary>Sends a command, and returns the beginning of its response.</summary>
        /// <exception cref="TimeoutException">There was no response in time.</exception>
        /// <exception cref="IOException">The connection was closed, or the response is not one of Redis's.</exception>
        public async Task<string> SendAsync(params string[] command)
        {
            var text = new StringBuilder().Append('*').Append(command.Length).Append("\r\n");
            foreach (var part in command) text.Append('$').Append(Encoding.UTF8.GetByteCount(part)).Append("\r\n").Append(part).Append("\r\n");
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            deadline.CancelAfter(timeout);
            try
            {
                await stream.WriteAsync(Encoding.UTF8.GetBytes(text.ToString()), deadline.Token);
                return await ReadAsync(deadline.Token);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                throw new TimeoutException();
            }
        }

        private async Task<string> ReadAsync(CancellationToken deadline)
        {
            for (var length = 0; ;)
            {
                var read = await stream.ReadAsync(_buffer.AsMemory(length), deadline);
                if (read == 0) throw new IOException();
                length += read;
                var response = Encoding.Latin1.GetString(_buffer, 0, length);
                if (!"+-:*$_".Contains(response[0], StringComparison.Ordinal)) throw new IOException();
                HasResponded = true;
                if (length == LongestResponse || EndOf(response, 0) is not null) return response;
            }
        }

        // The end of the response that begins at a position; null while it is not complete.
        private static int? EndOf(string response, int begin)
        {
            if (response.IndexOf("\r\n", begin, StringComparison.Ordinal) is var line && line < 0) return null;
            int? end = line + 2;
            if (response[begin] is not ('*' or '$') || !int.TryParse(response.AsSpan(begin + 1, line - begin - 1), out var count) || count < 0) return end;
            if (response[begin] == '$') return end + count + 2 is var last && last <= response.Length ? last : null;
            for (var i = 0; i < count && end is { } next; i++) end = EndOf(response, next);
            return end;
        }
    }

    private sealed class CertificateException(string errors) : Exception(errors);

    private sealed class ClosedAfterHandshakeException : IOException;

    private sealed class ConnectTimeoutException : Exception;
}
