using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using StackExchange.Redis;

namespace IotCredentials.Failures;

/// <summary>
/// Describes a failure in words of our own. A library's exception can quote a proxy's password, a header, or a whole response with the credentials in it, so
/// its kind is shown and its message is not. Every log entry, finding and printed line about a failure is made from this.
/// </summary>
public static class FailureText
{
    private const int LongestCode = 64;

    /// <summary>The cause of a failure of a client whose address is not known.</summary>
    public static string Of(Exception error) => Of(error, null);

    /// <summary>The cause of a failure of a client that uses the environment's proxy.</summary>
    /// <param name="error">The exception.</param>
    /// <param name="address">The address that the client called, if it is known.</param>
    public static string Of(Exception error, Uri? address) =>
        // The message is already in words of our own.
        error is VendingException ? error.Message
        : Find<HttpRequestException>(error) is { } request && address is not null ? Of(request, address, ProxyOf(address))
        : Find<OperationCanceledException>(error) is not null || Find<TimeoutException>(error) is not null ? $"no response in time{At(address)}"
        : $"{Kinds(error)}{At(address)}";

    /// <summary>The cause of a failure of a client that uses this proxy, or none.</summary>
    public static string Of(HttpRequestException error, Uri address, Uri? proxy)
    {
        var through = Through(proxy);
        var (host, port) = proxy is null ? (address.IdnHost, address.Port) : (proxy.IdnHost, proxy.Port);
        return error.HttpRequestError switch
        {
            HttpRequestError.NameResolutionError => $"the name {host} does not resolve{through}",
            HttpRequestError.ProxyTunnelError =>
                $"the proxy {proxy?.IdnHost}:{proxy?.Port} does not let it pass{(error.StatusCode is { } status ? $" ({(int)status})" : "")}",
            HttpRequestError.SecureConnectionError => $"{CertificateProblem(error) ?? "the TLS handshake failed: the port may speak no TLS"}{through}",
            HttpRequestError.ConnectionError => $"{Find<SocketException>(error)?.Message ?? "no connection"} ({host}:{port}){through}",
            HttpRequestError.ResponseEnded => Closed(),
            // The peer has reset the connection.
            HttpRequestError.Unknown when error.InnerException is IOException => Closed(),
            HttpRequestError.ConfigurationLimitExceeded => $"the response is longer than the gateway reads ({host}:{port}){through}",
            HttpRequestError.InvalidResponse => $"invalid HTTP response ({host}:{port}){through}",
            var other => $"{other} ({host}:{port}){through}",
        };

        string Closed() => $"the connection was closed before a response ({host}:{port}){through}";
    }

    /// <summary>The reason why a certificate is rejected.</summary>
    public static string OfCertificate(SslPolicyErrors errors, X509Certificate2? certificate, X509Chain? chain, string host)
    {
        List<string> causes = [];
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable)) causes.Add("the server has no certificate");
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
            causes.Add($"the certificate is for {certificate?.GetNameInfo(X509NameType.DnsName, false)}, not for {host}");
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors))
            causes.Add($"the certificate is not trusted: {string.Join(", ", (chain?.ChainStatus ?? []).Select(static status => status.Status).Distinct())}");
        return string.Join("; ", causes);
    }

    /// <summary>The kinds of an exception and of its inner exceptions, each once.</summary>
    public static string Kinds(Exception error)
    {
        List<string> kinds = [];
        for (var cause = error; cause is not null; cause = cause.InnerException)
        {
            if (KindOf(cause) is var kind && !kinds.Contains(kind)) kinds.Add(kind);
        }

        return string.Join(", ", kinds);
    }

    /// <summary>The kind of an exception that the behavior of a client or a service on the wire causes; null for any other exception.</summary>
    public static string? WireKindOf(Exception error) => error switch
    {
        HttpRequestException request => request.HttpRequestError.ToString(),
        HttpIOException io => io.HttpRequestError.ToString(),
        SocketException socket => socket.SocketErrorCode.ToString(),
        WebSocketException socket => socket.WebSocketErrorCode.ToString(),
        // BadHttpRequestException, ConnectionResetException and the like are IOExceptions.
        IOException or OperationCanceledException or TimeoutException or AuthenticationException => error.GetType().Name,
        _ => null,
    };

    /// <summary>An address without user, password and query; empty if the URI is no address.</summary>
    public static string Address(Uri address) => address.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);

    /// <summary>A proxy in words, without its user; empty without a proxy.</summary>
    public static string Through(Uri? proxy) => proxy is null ? "" : $" through the proxy {proxy.IdnHost}:{proxy.Port}";

    /// <summary>An error code that a peer sent; null if it does not have the form of a code, or may be a secret.</summary>
    public static string? Code(string? code) =>
        code is { Length: > 0 and <= LongestCode } && char.IsAsciiLetter(code[0])
        && code.All(static character => char.IsAsciiLetterOrDigit(character) || character == '.') && SecretText.Hide(code) == code
            ? code
            : null;

    private static string KindOf(Exception error) => error switch
    {
        RedisServerException => RedisProblem.KindOf(error),
        RedisConnectionException redis => $"{nameof(RedisConnectionException)} {redis.FailureType}",
        _ => WireKindOf(error) ?? error.GetType().Name,
    };

    private static string At(Uri? address) => address is null ? "" : $" ({address.IdnHost}:{address.Port}){Through(ProxyOf(address))}";

    private static Uri? ProxyOf(Uri address) => HttpClient.DefaultProxy.IsBypassed(address) ? null : HttpClient.DefaultProxy.GetProxy(address);

    private static string? CertificateProblem(Exception error) =>
        Find<AuthenticationException>(error)?.Message is { } message && message.Contains("certificate", StringComparison.Ordinal) ? message : null;

    /// <summary>Finds the deepest exception of a type in a chain of causes, because outer ones say less; null if there is none.</summary>
    /// <param name="error">The exception that was thrown.</param>
    /// <typeparam name="T">The type.</typeparam>
    public static T? Find<T>(Exception? error) where T : Exception
    {
        T? found = null;
        for (var cause = error; cause is not null; cause = cause.InnerException) found = cause as T ?? found;
        return found;
    }
}
