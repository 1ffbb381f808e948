namespace Gateway.Tests.Edge;

/// <summary>A request as bytes, what it is answered, and what of it a service may see.</summary>
/// <param name="Name">What is odd about it.</param>
/// <param name="Bytes">What is sent; <c>{host}</c> and <c>{token}</c> stand for the gateway's address and a token for <c>o-acme</c>.</param>
/// <param name="Statuses">The statuses that come back, in order; none: the connection is closed without an answer.</param>
/// <param name="Arrives">The only request line that arrives downstream; null: none does.</param>
public sealed record HostileRequest(string Name, string Bytes, int[] Statuses, string? Arrives = null)
{
    private const string Own = "/organizations/o-acme/";
    private const string Smuggled = $"GET {Own}smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

    public static IReadOnlyList<HostileRequest> All { get; } =
    [
        // Dot segments
        Path("parent", Own + "../o-other/x", 400),
        Path("parent at the end", Own + "..", 400),
        Path("parent first", "/../organizations/o-acme/x", 400),
        Path("current", Own + "./x", 400),
        Path("current at the end", Own + ".", 400),
        Path("many parents", Own + "../../../../etc/passwd", 400),
        Path("encoded dots", Own + "%2e%2e/o-other/x", 400),
        Path("encoded dots in capitals", Own + "%2E%2E/o-other/x", 400),
        Path("one of two dots encoded", Own + ".%2e/o-other/x", 400),
        Path("the other of two dots encoded", Own + "%2e./o-other/x", 400),
        Path("one encoded dot", Own + "%2e/x", 400),
        Path("doubly encoded dots", Own + "%252e%252e/o-other/x", 400),
        Path("triply encoded dots", Own + "%25252e%25252e/o-other/x", 400),
        Path("percent encoded in halves", Own + "%%32%65/x", 400),
        Path("parent and a space", Own + "..%20/o-other/x", 400),
        Path("space and parent", Own + "%20../o-other/x", 400),
        Path("parent with a mark of no width", Own + ".%E2%80%8B./o-other/x", 400),
        Path("parent and a NUL", Own + "..%00/o-other/x", 400),
        Path("parent in the place of the id", "/organizations/../x", 400),
        Path("encoded parent in the place of the id", "/organizations/%2e%2e/x", 400),
        Path("parent of the catch-all", "/plain/../organizations/o-other/x", 400),
        Path("parent of an open route", "/open/../organizations/o-other/x", 400),

        // Slashes and backslashes
        Path("encoded slash", Own + "..%2fo-other/x", 400),
        Path("encoded slash in capitals", Own + "a%2Fb", 400),
        Path("encoded slash in the id", "/organizations/o-acme%2fx/y", 400),
        Path("doubly encoded slash", Own + "a%252fb", 400),
        Path("backslash", Own + "..\\o-other\\x", 400),
        Path("backslash instead of slash", "\\organizations\\o-acme\\x", 400),
        Path("slash and backslash", "/\\evil.example.com/x", 400),
        Path("encoded backslash", Own + "..%5co-other", 400),
        Path("encoded backslash in capitals", Own + "..%5Co-other", 400),
        Path("doubly encoded backslash", Own + "..%255co-other", 400),
        Path("two slashes first", "//evil.example.com/organizations/o-acme/x", 400),
        Path("two slashes inside", "/organizations//o-acme/x", 400),
        Path("two slashes after the id", "/organizations/o-acme//x", 400),
        Path("two slashes at the end", Own + "x//", 400),
        Path("an empty id", "/organizations//x", 400),
        Path("overlong slash", Own + "..%c0%afo-other", 400),
        Path("overlong slash of three bytes", Own + "..%e0%80%afo-other", 400),
        Path("overlong slash of four bytes", Own + "..%f0%80%80%afo-other", 400),
        Path("overlong backslash", Own + "..%c1%9co-other", 400),
        Path("overlong dots", Own + "%c0%ae%c0%ae/o-other", 400),
        Path("overlong NUL", Own + "x%c0%80", 400),
        Path("full-width slash", Own + "..%EF%BC%8Fo-other", 400),
        Path("full-width backslash", Own + "..%EF%BC%BCo-other", 400),
        Path("full-width dots", Own + "%EF%BC%8E%EF%BC%8E/o-other", 400),
        Path("full-width percent sign", Own + "%EF%BC%852e", 400),
        Path("full-width question mark", Own + "x%EF%BC%9Fy", 400),
        Path("full-width number sign", Own + "x%EF%BC%83y", 400),
        Path("full-width semicolon", Own + "x%EF%BC%9By", 400),
        Path("Greek question mark, a semicolon by any normal form", Own + "x%CD%BEy", 400),
        Path("two dot leader", Own + "%E2%80%A5/o-other", 400),
        Path("one dot leaders", Own + "%E2%80%A4%E2%80%A4/o-other", 400),
        Path("small full stops", Own + "%EF%B9%92%EF%B9%92/o-other", 400),
        Path("division slash", Own + "..%E2%88%95o-other", 400),
        Path("fraction slash", Own + "..%E2%81%84o-other", 400),
        Path("set minus as backslash", Own + "..%E2%88%96o-other", 400),
        Path("care of, which is c/o", Own + "%E2%84%85", 400),

        // Parameters, queries, fragments
        Path("parameter", Own + "x;y=1", 400),
        Path("parameter of a parent", Own + "..;/o-other/x", 400),
        Path("parameter of the id", "/organizations/o-acme;x/y", 400),
        Path("encoded parameter", Own + "x%3by=1", 400),
        Path("doubly encoded parameter", Own + "x%253by=1", 400),
        Path("encoded parameter of a parent", Own + "..%3b/o-other", 400),
        Path("encoded question mark", Own + "x%3fy", 400),
        Path("encoded number sign", Own + "x%23y", 400),
        Path("fragment", Own + "x#y", 400),
        Path("fragment of the query", Own + "x?y#z", 400),

        // Escapes and characters
        Path("half an escape", Own + "x%2", 400),
        Path("a bare percent sign", Own + "x%", 400),
        Path("an escape of no digits", Own + "x%zz", 400),
        Path("an escape of IIS", Own + "..%u2215o-other", 400),
        Path("NUL", Own + "x%00", 400),
        Path("encoded line feed", Own + "x%0ay", 400),
        Path("encoded carriage return and line feed", Own + "x%0d%0aX-Gateway-Subject:%20root", 400),
        Path("encoded tab", Own + "x%09y", 400),
        Path("encoded delete", Own + "x%7fy", 400),
        Path("encoded C1 control", Own + "x%C2%85y", 400),
        Path("lone continuation byte", Own + "x%80", 400),
        Path("half a character", Own + "x%E2%82", 400),
        Path("half a surrogate pair", Own + "x%ED%A0%80", 400),
        Path("beyond Unicode", Own + "x%F4%90%80%80", 400),
        Path("bytes that are not ASCII", Own + "x\u00e9y", 400),
        Path("a raw control", Own + "x\u0001y", 400),
        Path("a raw NUL", Own + "x\0y", 400),
        Path("a raw delete", Own + "x\u007fy", 400),
        Path("a raw control in the query", Own + "x?y\u0001z", 400),

        // Targets that are no path
        Path("no slash first", "organizations/o-acme/x", 400),
        Path("an empty target", "", 400),
        Path("only a query", "?x", 400),
        Path("absolute form of a foreign host", "http://evil.example.com/organizations/o-acme/x", 400),
        Path("absolute form of another port", "http://127.0.0.1:1/organizations/o-acme/x", 400),
        Path("absolute form of this host", "http://{host}/organizations/o-acme/x", 400),
        Path("absolute form with somebody before the host", "http://127.0.0.1@evil.example.com/organizations/o-acme/x", 400),
        Path("absolute form of another scheme", "file:///organizations/o-acme/x", 400),
        Path("authority form", "evil.example.com:80", 405),
        Path("asterisk for another method", "*", 405),
        Line("authority form of CONNECT", "CONNECT {host} HTTP/1.1", 400),
        Line("CONNECT of a path", $"CONNECT {Own}x HTTP/1.1", 405),
        Line("asterisk of OPTIONS", "OPTIONS * HTTP/1.1", 404),
        Line("asterisk and more", "OPTIONS *x HTTP/1.1", 400),

        // Other organizations, and what is none
        Path("another organization", "/organizations/o-other/x", 403),
        Path("another organization, encoded", "/organizations/%6f-other/x", 403),
        Path("the id in capitals", "/organizations/O-ACME/x", 422),
        Path("a full-width id", "/organizations/%EF%BD%8F-acme/x", 422),
        Path("an id and a space", "/organizations/o-acme%20/x", 422),
        Path("an id and a dot", "/organizations/o-acme./x", 422),
        Path("an id and a wildcard", "/organizations/o-*/x", 422),
        Path("an id and a tilde", "/organizations/o-acme~1/x", 422),
        Path("the management's path", "/health/ready", 404),
        Path("the management's metrics", "/metrics", 404),

        // What is odd and means one thing
        Path("the id encoded", "/organizations/o%2dacme/x1", 200, "/organizations/o-acme/x1"),
        Path("letters encoded", Own + "%78%32", 200, Own + "%78%32"),
        Path("a space encoded", Own + "x%203", 200, Own + "x%203"),
        Path("an accent encoded", Own + "caf%C3%A9", 200, Own + "caf%C3%A9"),
        Path("dots within a name", Own + "a..b", 200, Own + "a..b"),
        Path("dots around a name", Own + "..a..", 200, Own + "..a.."),
        Path("three dots, which are a name", Own + ".../x", 200, Own + ".../x"),
        Path("a space, which is a name", Own + "%20/x", 200, Own + "%20/x"),
        Path("a trailing slash", Own + "x4/", 200, Own + "x4/"),
        Path("a dot segment in the query", Own + "x5?a=../../o-other", 200, Own + "x5?a=../../o-other"),
        Path("an address in the query", Own + "x6?url=http://evil.example.com/%2e%2e", 200, Own + "x6?url=http://evil.example.com/%2e%2e"),
        Path("two question marks", Own + "x7??a", 200, Own + "x7??a"),
        Path("a colon", Own + "a:b", 200, Own + "a:b"),
        Path("an at sign", Own + "user@evil.example.com", 200, Own + "user@evil.example.com"),
        Path("a route's name in capitals", "/ORGANIZATIONS/o-acme/x8", 200, "/ORGANIZATIONS/o-acme/x8"),
        Path("the longest target that the bounds let in", Own + new string('a', 8000), 200, Own + new string('a', 8000)),
        Path("a target beyond the bounds", Own + new string('a', 9000), 414),

        // Methods
        Line("TRACE", $"TRACE {Own}x HTTP/1.1", 405),
        Line("a method in small letters", $"get {Own}x HTTP/1.1", 405),
        Line("a method of WebDAV", $"PROPFIND {Own}x HTTP/1.1", 405),
        Line("a method that nobody knows", $"BREW {Own}x HTTP/1.1", 405),
        Line("a method with a slash", $"GE/T {Own}x HTTP/1.1", 400),
        Line("a method with a tab", $"GET\t{Own}x HTTP/1.1", 400),
        Line("no method", $" {Own}x HTTP/1.1", 400),
        Line("a long method", $"{new string('G', 5000)} {Own}x HTTP/1.1", 405),

        // Versions and request lines
        Line("HTTP/0.9", $"GET {Own}x", 400),
        Line("HTTP/1.2", $"GET {Own}x HTTP/1.2", 505),
        Line("HTTP/2.0 in the words of HTTP/1.1", $"GET {Own}x HTTP/2.0", 505),
        Line("HTTP/3.0", $"GET {Own}x HTTP/3.0", 505),
        Line("HTTP/11", $"GET {Own}x HTTP/11", 400),
        Line("a protocol in small letters", $"GET {Own}x http/1.1", 505),
        Line("another protocol", $"GET {Own}x RTSP/1.0", 505),
        Line("two versions", $"GET {Own}x HTTP/1.1 HTTP/1.1", 400),
        Line("two spaces before the target", $"GET  {Own}x HTTP/1.1", 400),
        Line("two spaces before the version", $"GET {Own}x9  HTTP/1.1", 200, $"GET {Own}x9"),
        Line("a space in the target", $"GET {Own}x y HTTP/1.1", 400),
        Line("a tab before the version", $"GET {Own}x\tHTTP/1.1", 400),
        Line("a space after the version", $"GET {Own}x HTTP/1.1 ", 400),
        Line("HTTP/1.0", $"GET {Own}v10 HTTP/1.0", 200, $"GET {Own}v10"),
        Raw("HTTP/1.0 without a host", $"GET {Own}x HTTP/1.0\r\nAuthorization: Bearer {{token}}\r\n\r\n", [400]),
        Raw("HTTP/2 without asking", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []),

        // Line ends
        Raw("bare line feeds", $"GET {Own}x HTTP/1.1\nHost: {{host}}\nAuthorization: Bearer {{token}}\nConnection: close\n\n", [400]),
        Raw(
            "a bare line feed after the request line",
            $"GET {Own}x HTTP/1.1\nHost: {{host}}\r\nAuthorization: Bearer {{token}}\r\nConnection: close\r\n\r\n", [400]),
        Raw("a bare line feed after a header", $"GET {Own}x HTTP/1.1\r\nHost: {{host}}\nAuthorization: Bearer {{token}}\r\nConnection: close\r\n\r\n", [400]),
        Raw("bare carriage returns", $"GET {Own}x HTTP/1.1\rHost: {{host}}\rConnection: close\r\r\n\r\n", [400]),
        Header("a bare carriage return in a value", "X-A: b\rX-Gateway-Subject: forged", 400),
        Header("a bare line feed in a value", "X-A: b\nX-Gateway-Subject: forged", 400),

        // Headers
        Header("a folded line", "X-A: b\r\n c", 400),
        Header("a folded line by a tab", "X-A: b\r\n\tc", 400),
        Header("a space before the colon", "X-A : b", 400),
        Header("a tab before the colon", "X-A\t: b", 400),
        Header("a space before the name", " X-A: b", 400),
        Header("no colon", "X-A", 400),
        Header("no name", ": b", 400),
        Header("a name in brackets", "X(A): b", 400),
        Header("a name with a slash", "X/A: b", 400),
        Header("a name that is not ASCII", "X-\u00c3\u00a9: b", 400),
        Header("a NUL in a name", "X-\0A: b", 400),
        Header("a NUL in a value", "X-A: b\0c", 400),
        Header("a control in a value", "X-A: b\u0001c", 400),
        Header("a vertical tab in a value", "X-A: b\u000bc", 400),
        Header("a delete in a value", "X-A: b\u007fc", 400),
        Header("a next line in a value", "X-A: b\u00c2\u0085c", 400),
        Header("bytes that are no UTF-8 in a value", "X-A: b\u00ffc", 400),
        Header("a value beyond the bounds", $"X-A: {new string('a', 40_000)}", 431),
        Header("more headers than the bounds let in", string.Join("\r\n", Enumerable.Range(0, 120).Select(i => $"X-{i}: a")), 431),
        Header("UTF-8 in a value", "X-A: caf\u00c3\u00a9", 200, Own + "hop"),
        Header("two hosts", "Host: evil.example.com", 400),
        Header("the same host twice", "Host: {host}", 400),
        Raw("no host", $"GET {Own}x HTTP/1.1\r\nAuthorization: Bearer {{token}}\r\nConnection: close\r\n\r\n", [400]),
        Raw("an empty host", $"GET {Own}x HTTP/1.1\r\nHost:\r\nAuthorization: Bearer {{token}}\r\nConnection: close\r\n\r\n", [400]),
        Host("a host with a path", "127.0.0.1/organizations/o-other", 400),
        Host("a host with a space", "127.0.0.1 evil.example.com", 400),
        Host("two hosts in one line", "127.0.0.1,evil.example.com", 400),
        Host("a host with somebody before it", "x@127.0.0.1", 400),
        Host("a port that is none", "127.0.0.1:80x", 400),
        Host("another host's name", "evil.example.com", 400),
        Host("a host and its port in words", "127.0.0.1:http", 400),
        Header("two tokens", "Authorization: Bearer x", 401),
        Header("another authorization", "Authorization: Basic YTpi", 401),

        // What is for one hop, or comes from the gateway alone
        Header("a switch to HTTP/2", "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA", 200, Own + "hop"),
        Header("a switch to another protocol", "Upgrade: forged/1.0", 200, Own + "hop"),
        Header("an expectation that nobody knows", "Expect: forged", 200, Own + "hop"),
        Header(
            "the gateway's own headers as words for this hop",
            "Connection: X-Gateway-Subject, x-gateway-organization, X-Forwarded-For, traceparent\r\nX-Gateway-Subject: forged", 200, Own + "hop"),
        Header(
            "words for this hop",
            "TE: trailers, forged\r\nTrailer: forged\r\nKeep-Alive: forged\r\nProxy-Connection: forged\r\nProxy-Authorization: Basic forged", 200, Own + "hop"),
        Header("a subject of one's own", "X-Gateway-Subject: forged", 200, Own + "hop"),
        Header(
            "a subject of one's own, twice and in other words",
            "x-gateway-subject: forged\r\nX_Gateway_Subject: forged\r\nX.Gateway.Subject: forged\r\nx-gateway-subject: forged", 200, Own + "hop"),
        Header("another method", "X-HTTP-Method-Override: DELETE, forged\r\nX-Method-Override: forged\r\nX_HTTP_Method: forged", 200, Own + "hop"),
        Header("another target", "X-Original-URL: /forged\r\nX-Rewrite-URL: /forged\r\nX-Forwarded-Prefix: /forged", 200, Own + "hop"),
        Header("a proxy for the service's own requests", "Proxy: http://forged", 200, Own + "hop"),
        Header("a length by another name", "Content_Length: 7, forged\r\nTransfer_Encoding: chunked, forged", 200, Own + "hop"),

        // Bodies
        Body("a length and chunks", "Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n", [400]),
        Body("chunks and a length", "Transfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n", [400]),
        Body("a second request behind a length and chunks", "Content-Length: 4\r\nTransfer-Encoding: chunked",
            $"0\r\n\r\nGET {Own}smuggled HTTP/1.1\r\nHost: {{host}}\r\nAuthorization: Bearer {{token}}\r\nConnection: close\r\n\r\n", [400], closes: false),
        Body("two lengths", "Content-Length: 5\r\nContent-Length: 6", "hello!", [400]),
        Body("the same length twice", "Content-Length: 5\r\nContent-Length: 5", "hello", [400]),
        Body("two lengths in a line", "Content-Length: 5, 5", "hello", [400]),
        Body("a negative length", "Content-Length: -1", "hello", [400]),
        Length("with a sign", "+5"),
        Length("of nothing with a sign", "+0"),
        Length("of less than nothing", "-0"),
        Length("with a sign behind", "5+"),
        Length("of two in a line", "5,5"),
        Length("of two words", "5 5"),
        Length("in hexadecimal", "0x5"),
        Length("in full width", "\u00ef\u00bc\u0095"),
        Length("in Arabic digits", "\u00d9\u00a5"),
        Length("with a fraction", "5.0"),
        Length("with an exponent", "1e1"),
        Length("with an underscore", "1_0"),
        Length("in quotes", "\"5\""),
        Length("in brackets", "(5)"),
        Length("behind a vertical tab", "\u000b5"),
        Length("before a form feed", "5\u000c"),
        Length("before a space without a break", "5\u00a0"),
        Length("of no character", ""),
        Length("of more digits than numbers have", "00000000000000000000005"),
        Length("with a sign, in another word's place", "5, +5"),
        Body("C3 a length between spaces and tabs, which belong to no value", "Content-Length: \t 5 \t", "hello", [200], "POST"),
        Body("C3 a length with zeros before it", "Content-Length: 0005", "hello", [200], "POST"),
        Body("a length in hexadecimal", "Content-Length: 0x5", "hello", [400]),
        Body("a length that is no number", "Content-Length: five", "hello", [400]),
        Body("a length beyond numbers", "Content-Length: 99999999999999999999", "hello", [400]),
        Body("a length beyond the bounds", "Content-Length: 30000001", "hello", [413]),
        Body("no length at all", "X-A: b", "", [200], "POST"),
        Body("a coding that nobody knows", "Transfer-Encoding: forged", "hello", [400]),
        Body("a coding before the chunks", "Transfer-Encoding: gzip, chunked", "0\r\n\r\n", [400]),
        Body("a coding after the chunks", "Transfer-Encoding: chunked, identity", "0\r\n\r\n", [400]),
        Body("identity", "Transfer-Encoding: identity", "hello", [400]),
        Body("chunks twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n", [400]),
        Body("chunks twice in a line", "Transfer-Encoding: chunked, chunked", "0\r\n\r\n", [400]),
        Body("chunks after a vertical tab", "Transfer-Encoding: \u000bchunked", "0\r\n\r\n", [400]),
        Body("chunks in quotes", "Transfer-Encoding: \"chunked\"", "0\r\n\r\n", [400]),
        Body("chunks of HTTP/1.0", "Transfer-Encoding: chunked", "0\r\n\r\n", [400], version: "1.0"),
        Body("a chunk's size that is none", "Transfer-Encoding: chunked", "xyz\r\nhello\r\n0\r\n\r\n", [400]),
        Body("a chunk's size beyond numbers", "Transfer-Encoding: chunked", "fffffffffffffffff\r\nhello\r\n0\r\n\r\n", [400]),
        Body("a negative chunk", "Transfer-Encoding: chunked", "-5\r\nhello\r\n0\r\n\r\n", [400]),
        Body("a chunk that is longer than it says", "Transfer-Encoding: chunked", "3\r\nhello\r\n0\r\n\r\n", [400]),
        Body("a chunk's size before a bare line feed", "Transfer-Encoding: chunked", "5\nhello\r\n0\r\n\r\n", [400]),
        Body("a bare line feed in a chunk's extension", "Transfer-Encoding: chunked", "5;\n\r\nhello\r\n0\r\n\r\n", [400]),
        Body("a chunk's extension", "Transfer-Encoding: chunked", "5;a=forged\r\nhello\r\n0\r\n\r\n", [200], "POST"),
        Body("chunks in capitals", "Transfer-Encoding: CHUNKED", "5\r\nhello\r\n0\r\n\r\n", [200], "POST"),
        Body("trailers", "Transfer-Encoding: chunked\r\nTrailer: X-Gateway-Subject", "5\r\nhello\r\n0\r\nX-Gateway-Subject: forged\r\n\r\n", [200], "POST"),
        Raw("a body of GET that is another request",
            $"GET {Own}first HTTP/1.1\r\nHost: {{host}}\r\nAuthorization: Bearer {{token}}\r\nConnection: close\r\n"
                + $"Content-Length: {Smuggled.Length}\r\n\r\n{Smuggled}", [200], $"GET {Own}first"),
    ];

    private static HostileRequest Path(string name, string target, int status, string? arrives = null) =>
        Line(name, $"GET {target} HTTP/1.1", status, arrives is null ? null : $"GET {arrives}");

    private static HostileRequest Line(string name, string line, int status, string? arrives = null) =>
        Raw(name, $"{line}\r\nHost: {{host}}\r\nAuthorization: Bearer {{token}}\r\nConnection: close\r\n\r\n", [status], arrives);

    private static HostileRequest Header(string name, string header, int status, string? arrives = null) =>
        Raw(
            name, $"GET {Own}hop HTTP/1.1\r\nHost: {{host}}\r\nAuthorization: Bearer {{token}}\r\nConnection: close\r\n{header}\r\n\r\n",
            [status], arrives is null ? null : $"GET {arrives}");

    private static HostileRequest Host(string name, string host, int status) =>
        Raw(name, $"GET {Own}x HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {{token}}\r\nConnection: close\r\n\r\n", [status]);

    private static HostileRequest Body(
        string name, string headers, string body, int[] statuses, string? arrives = null, string version = "1.1", bool closes = true) =>
        Raw(name, $"POST {Own}body HTTP/{version}\r\nHost: {{host}}\r\nAuthorization: Bearer {{token}}\r\n{headers}\r\n"
            + $"{(closes ? "Connection: close\r\n" : "")}\r\n{body}",
            statuses, arrives is null ? null : $"{arrives} {Own}body");

    // What is behind it would be the next request, on a connection that stays open.
    private static HostileRequest Length(string name, string length) =>
        Body("C3 a length " + name, $"Content-Length: {length}", Smuggled, [400], closes: false);

    private static HostileRequest Raw(string name, string bytes, int[] statuses, string? arrives = null) => new(name, bytes, statuses, arrives);
}
