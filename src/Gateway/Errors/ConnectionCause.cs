using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Gateway.Forwarding;

namespace Gateway.Errors;

/// <summary>Why a connection or a request failed, in words that hold nothing of a URL's user, a proxy's password, a header or a body.</summary>
internal static class ConnectionCause
{
    /// <summary>The cause of a failure of a client that takes the environment's proxy.</summary>
    public static string Of(HttpRequestException error, Uri address) =>
        Of(error, address, HttpClient.DefaultProxy.IsBypassed(address) ? null : HttpClient.DefaultProxy.GetProxy(address));

    /// <summary>The cause of a failure of a client that takes this proxy, or none.</summary>
    public static string Of(HttpRequestException error, Uri address, Uri? proxy)
    {
        var through = ServiceProxy.Through(proxy);
        var (host, port) = proxy is null ? (address.IdnHost, address.Port) : (proxy.IdnHost, proxy.Port);
        return error.HttpRequestError switch
        {
            HttpRequestError.NameResolutionError => $"the name {host} does not resolve{through}",
            HttpRequestError.ProxyTunnelError =>
                $"the proxy {proxy?.IdnHost}:{proxy?.Port} does not let it pass{(error.StatusCode is { } status ? $" ({(int)status})" : "")}",
            HttpRequestError.SecureConnectionError => $"{CertificateProblem(error) ?? "the TLS handshake failed: the port may speak no TLS"}{through}",
            HttpRequestError.ConnectionError => $"{Deepest<SocketException>(error)?.Message ?? "no connection"} ({host}:{port}){through}",
            HttpRequestError.ResponseEnded => $"the connection was closed before a response ({host}:{port}){through}",
            HttpRequestError.InvalidResponse => $"the response is no HTTP ({host}:{port}){through}",
            var other => $"{other} ({host}:{port}){through}",
        };
    }

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

    private static string? CertificateProblem(Exception error) =>
        Deepest<AuthenticationException>(error)?.Message is { } message && message.Contains("certificate", StringComparison.Ordinal) ? message : null;

    private static T? Deepest<T>(Exception error) where T : Exception
    {
        T? found = null;
        for (var cause = error; cause is not null; cause = cause.InnerException!) found = cause as T ?? found;
        return found;
    }
}
