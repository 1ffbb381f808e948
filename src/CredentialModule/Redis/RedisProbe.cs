using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
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
        var (user, password) = isSentinel ? (options.SentinelUser, options.SentinelPassword) : (options.User, options.Password);
        // As the client does: a user may have no password.
        if (!string.IsNullOrEmpty(user) || !string.IsNullOrEmpty(password))
        {
            var refusal = await session.SendAsync(string.IsNullOrEmpty(user) ? ["AUTH", password!] : ["AUTH", user, password ?? ""]);
            // If Redis has no password set, its error has no code of its own; old servers have none for a wrong password either.
            if (refusal is not null) return session.HasNoPassword ? RedisProblem.HasNoPassword : RedisProblem.RefusesPassword;
        }

        if (await session.SendAsync("PING") is { } code && RedisProblem.OfError(code, "PING") is { } problem) return problem;
        // A sentinel only names the primary.
        if (isSentinel) return null;

        var key = keyPrefix + "probe";
        if (await session.SendAsync("SET", key, "", "PX", "1000") is { } refused && RedisProblem.OfError(refused, "SET") is { } unwritable) return unwritable;
        // The commands that the cache, the locks, the generations and their notices need. SCAN is the last, because its response has several lines.
        var hash = key + "-hash";
        string[][] needed =
        [
            ["HMSET", hash, "data", ""], ["HSET", hash, "data", ""], ["EXPIRE", hash, "1"], ["PEXPIRE", hash, "1000"], ["HGET", hash + "-none", "data"],
            ["HGETALL", hash + "-none"], ["HDEL", hash, "none"], ["EXISTS", key + "-none"], ["PTTL", key + "-none"], ["UNLINK", hash], ["GET", key + "-none"],
            // A response in a transaction is one line.
            ["WATCH", hash], ["MULTI"], ["TIME"], ["DISCARD"], ["UNWATCH"], ["EVAL", "return 1", "0"], ["PUBLISH", key, ""], ["SCAN", "0", "COUNT", "1"],
        ];
        foreach (var command in needed)
            if (await session.SendAsync(command) is "NOPERM") return RedisProblem.Denied(command[0]);
        return null;
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
        var stream = new SslStream(client.GetStream());
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(longest);
        try
        {
            await stream.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = TlsNameOf(host),
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

    /// <summary>Sends commands one after another. It keeps only the error code of a response, because the rest can hold anything.</summary>
    private sealed class Session(Stream stream, TimeSpan timeout, CancellationToken cancellation)
    {
        private const int LongestResponse = 512;

        private readonly byte[] _buffer = new byte[LongestResponse];

        public bool HasNoPassword { get; private set; }

        /// <summary>Sends a command. Returns the code of its error response, or null.</summary>
        /// <exception cref="TimeoutException">There was no response in time.</exception>
        /// <exception cref="IOException">The connection was closed, or the response is not one of Redis's.</exception>
        public async Task<string?> SendAsync(params string[] command)
        {
            var text = new StringBuilder().Append('*').Append(command.Length).Append("\r\n");
            foreach (var part in command) text.Append('$').Append(Encoding.UTF8.GetByteCount(part)).Append("\r\n").Append(part).Append("\r\n");
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            deadline.CancelAfter(timeout);
            try
            {
                await stream.WriteAsync(Encoding.UTF8.GetBytes(text.ToString()), deadline.Token);
                return CodeOf(Encoding.ASCII.GetString(_buffer, 0, await ReadAsync(deadline.Token)));
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                throw new TimeoutException();
            }
        }

        // Each command sent here has a response of one line, except the last, whose first line is enough.
        private async Task<int> ReadAsync(CancellationToken deadline)
        {
            var length = 0;
            while (length < LongestResponse && !_buffer.AsSpan(0, length).EndsWith("\r\n"u8))
            {
                var read = await stream.ReadAsync(_buffer.AsMemory(length), deadline);
                if (read == 0) throw new IOException();
                length += read;
            }

            return length;
        }

        private string? CodeOf(string response)
        {
            if (response[0] is '+' or ':' or '*' or '$' or '_') return null;
            if (response[0] is not '-') throw new IOException();
            HasNoPassword = response.Contains("without any password", StringComparison.Ordinal)
                || response.Contains("no password is set", StringComparison.Ordinal);
            return RedisProblem.CodeOf(response[1..]);
        }
    }

    private sealed class CertificateException(string errors) : Exception(errors);

    private sealed class ConnectTimeoutException : Exception;
}
