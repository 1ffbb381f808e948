using System.Globalization;
using Sandbox;
using Xunit;

namespace Gateway.Tests.Forwarding;

/// <summary>What a service learns of a request, it learns from the gateway.</summary>
public sealed class IdentityHeaderTests(PlatformFixture platform) : IClassFixture<PlatformFixture>
{
    public static TheoryData<string> Forged =>
    [
        "X-Gateway-Subject", "x-gateway-subject", "X_Gateway_Subject", "X_GATEWAY-SUBJECT", "X.Gateway.Subject", "X~Gateway~Subject", "X-Gateway-Issuer",
        "X-Gateway-Organization", "X_Gateway.Organization", "X-Gateway-Anything", "X-Gateway-", "X-Forwarded-For", "X_Forwarded_For", "X-Forwarded-Host",
        "X-Forwarded-Proto", "X-Forwarded-Prefix", "X-Forwarded-Port", "X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Client-Cert",
        "X-Forwarded-Access-Token", "Forwarded", "X-Real-IP", "X_Real_IP", "X-Client-IP", "True-Client-IP", "X-Original-URL", "X-Original-Host",
        "X-Original-Method", "X-Rewrite-URL", "X-HTTP-Method", "X-HTTP-Method-Override", "X_HTTP_Method_Override", "X-Method-Override", "Remote-User",
        "Remote_User", "X-Auth-Request-User", "X-Auth-Request-Email", "X-MS-CLIENT-PRINCIPAL", "X-MS-CLIENT-PRINCIPAL-ID", "X-MS-CLIENT-PRINCIPAL-NAME",
        "X-Amzn-Oidc-Data", "X-Amzn-Oidc-Identity", "X-Amzn-Oidc-Accesstoken", "baggage", "Baggage", "Correlation-Context", "Correlation_Context",
        "X-Request-Id", "X_Request_Id",
    ];

    [Theory]
    [MemberData(nameof(Forged))]
    public async Task A_clients_own_never_arrives(string name)
    {
        foreach (var path in (string[])["/organizations/o-acme/", "/open/", "/trusted/"])
        {
            var target = path + Guid.NewGuid().ToString("N");
            var answer = await RawHttp.SendAsync(
                platform.Gateway.Url, target, "GET", $"Authorization: Bearer {platform.World.Token("o-acme")}", $"{name}: forged=1", $"{name}: forged=2");

            Assert.Equal(200, answer.Status);
            var received = Assert.Single(platform.Received(target));
            Assert.DoesNotContain(received.Headers, header => header.Value.Any(value => value.Contains("forged", StringComparison.Ordinal)));
        }
    }

    public static TheoryData<string> Names =>
    [
        "X-Gateway-Subject", "X-Gateway-Issuer", "X-Gateway-Organization", "X-Gateway-Role",
        "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix", "X-Forwarded-User", "Forwarded",
        "X-Real-IP", "X-Client-IP", "True-Client-IP", "X-Original-URL", "X-Original-Host", "X-Rewrite-URL",
        "X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override", "Remote-User", "X-Auth-Request-User", "X-Auth-Request-Groups",
        "X-MS-Client-Principal", "X-MS-Client-Principal-Id", "X-Amzn-Oidc-Data", "X-Amzn-Oidc-Identity", "baggage", "X-Request-Id",
    ];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_clients_own_never_arrives_however_it_is_spelled(string name)
    {
        string[] spellings =
        [
            name.ToLowerInvariant(), name.ToUpperInvariant(), name.Replace('-', '_'), name.Replace('-', '.').ToUpperInvariant(),
            Alternating(name), Alternating(name.Replace('-', '_')),
        ];
        foreach (var spelling in spellings)
        {
            var received = await ReceiveAsync(
                "/organizations/o-acme/spelled", platform.World.Token("o-acme"), $"{spelling}: forged=1", $"{spelling}: forged=2", $"{name}: forged=3");

            Assert.DoesNotContain(received.Headers, header => header.Value.Any(value => value.Contains("forged", StringComparison.Ordinal)));
            Assert.Equal(["alice"], received.Headers["X-Gateway-Subject"]);
        }

        static string Alternating(string name) =>
            string.Concat(name.Select((letter, i) => i % 2 == 0 ? char.ToLowerInvariant(letter) : char.ToUpperInvariant(letter)));
    }

    [Fact]
    public async Task The_gateways_own_arrive_once_each()
    {
        var received = await ReceiveAsync(
            "/organizations/o-acme/own", platform.World.Token("o-acme"), "X-Gateway-Subject: root", "x-gateway-organization: o-other");

        Assert.Equal(["alice"], received.Headers["X-Gateway-Subject"]);
        Assert.Equal([platform.World.Issuer.Issuer], received.Headers["X-Gateway-Issuer"]);
        Assert.Equal(["o-acme"], received.Headers["X-Gateway-Organization"]);
        Assert.Equal(["127.0.0.1"], received.Headers["X-Forwarded-For"]);
        Assert.Equal(["http"], received.Headers["X-Forwarded-Proto"]);
        Assert.Equal([new Uri(platform.Gateway.Url).Authority], received.Headers["X-Forwarded-Host"]);
        Assert.NotEmpty(Assert.Single(received.Headers["X-Request-Id"]));
        Assert.Matches("^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$", Assert.Single(received.Headers["traceparent"]));
        Assert.DoesNotContain("Authorization", received.Headers.Keys);
        Assert.DoesNotContain("Cookie", received.Headers.Keys);
    }

    [Fact]
    public async Task A_header_that_Connection_names_does_not_take_the_gateways_own_with_it()
    {
        var received = await ReceiveAsync("/organizations/o-acme/hop", platform.World.Token("o-acme"), "Connection: X-Gateway-Subject, X-Gateway-Organization");

        Assert.Equal(["alice"], received.Headers["X-Gateway-Subject"]);
        Assert.Equal(["o-acme"], received.Headers["X-Gateway-Organization"]);
    }

    [Fact]
    public async Task A_header_that_Connection_names_goes_no_further_but_for_the_gateways_own()
    {
        var target = $"/organizations/o-acme/hop?{Guid.NewGuid():N}";
        var answer = await platform.SendAsync(target, platform.World.Token("o-acme"), change: request =>
        {
            request.Headers.TryAddWithoutValidation("Connection", "x-custom, X-Gateway-Subject,X-Forwarded-For, , bad name");
            request.Headers.TryAddWithoutValidation("X-Custom", "forged");
            request.Headers.TryAddWithoutValidation("X-Other", "kept");
        });

        Assert.Equal(200, answer.Status);
        var received = Assert.Single(platform.Received(target)).Headers;
        Assert.DoesNotContain("X-Custom", received.Keys);
        Assert.Equal(["kept"], received["X-Other"]);
        Assert.Equal(["alice"], received["X-Gateway-Subject"]);
        Assert.Equal(["127.0.0.1"], received["X-Forwarded-For"]);
    }

    [Theory]
    [InlineData("close, X-Custom")]
    [InlineData("X-Custom, close")]
    [InlineData("Close,x-custom")]
    [InlineData("keep-alive, X-Custom", "close")]
    [InlineData("X-Custom, Keep-Alive")]
    [InlineData("close, keep-alive, X-Custom")]
    [InlineData("upgrade, X-Custom", "close")]
    [InlineData("upgrade", "X-Custom", "close")]
    [InlineData("X-Custom", "close")]
    [InlineData("close", "X-Custom")]
    [InlineData("close, , X-Other-Of-Hop ,X-Custom")]
    [InlineData("close\t, X-Custom")]
    [InlineData("X-Custom,\tclose")]
    [InlineData("\tupgrade\t,\tX-Custom", "close")]
    [InlineData("keep-alive", "X-Custom")]
    [InlineData("X-Custom", "keep-alive")]
    public async Task A_header_that_Connection_names_beside_a_word_of_HTTPs_goes_no_further(params string[] connection)
    {
        var received = await ReceiveAsync(
            "/plain/hop", platform.World.Token(), [.. connection.Select(value => $"Connection: {value}"), "X-Custom: forged", "X-Other: kept"]);

        Assert.DoesNotContain("X-Custom", received.Headers.Keys);
        Assert.Equal(["kept"], received.Headers["X-Other"]);
    }

    [Fact]
    public async Task An_organization_is_named_only_where_membership_was_checked()
    {
        Assert.DoesNotContain("X-Gateway-Organization", (await ReceiveAsync("/any/o-other/1", platform.World.Token("o-acme"))).Headers.Keys);
        Assert.DoesNotContain("X-Gateway-Organization", (await ReceiveAsync("/plain/organization", platform.World.Token("o-acme"))).Headers.Keys);
    }

    [Fact]
    public async Task Nobody_is_named_on_a_route_that_nobody_identified_himself_on()
    {
        var received = await ReceiveAsync("/open/nobody", null);

        Assert.DoesNotContain(received.Headers.Keys, name => name.StartsWith("X-Gateway-", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task A_token_and_cookies_go_only_where_the_route_says_so()
    {
        var token = platform.World.Token("o-acme");

        foreach (var path in (string[])["/organizations/o-acme/secrets", "/plain/secrets", "/open/secrets"])
        {
            var kept = await ReceiveAsync(path, token, "Cookie: session=1");
            Assert.DoesNotContain("Authorization", kept.Headers.Keys);
            Assert.DoesNotContain("Cookie", kept.Headers.Keys);
        }

        var trusted = await ReceiveAsync("/trusted/secrets", token, "Cookie: session=1");
        Assert.Equal([$"Bearer {token}"], trusted.Headers["Authorization"]);
        Assert.Equal(["session=1"], trusted.Headers["Cookie"]);
    }

    [Fact]
    public async Task What_belongs_to_the_client_arrives_as_it_was_sent()
    {
        var received = await ReceiveAsync(
            "/plain/headers", platform.World.Token(), "Accept: a/b", "X-Custom: 1", "X-Custom: 2", "X-User-Agent: grpc-web-javascript/0.1");

        Assert.Equal(["a/b"], received.Headers["Accept"]);
        Assert.Equal("1,2", string.Join(',', received.Headers["X-Custom"]).Replace(" ", "", StringComparison.Ordinal));
        Assert.Equal(["grpc-web-javascript/0.1"], received.Headers["X-User-Agent"]);
    }

    [Theory]
    [InlineData("auth0|5f7c8ec7", "auth0|5f7c8ec7")]
    [InlineData("jos\u00e9", "jos%C3%A9")]
    [InlineData("a\r\nX-Gateway-Subject: root", "a%0D%0AX-Gateway-Subject%3A%20root")]
    [InlineData("a\u0000b", "a%00b")]
    [InlineData("100%", "100%25")]
    [InlineData("a%0Db", "a%250Db")]
    [InlineData("a b", "a%20b")]
    [InlineData("\u202ealice", "%E2%80%AEalice")]
    [InlineData("\ud83d\ude00", "%F0%9F%98%80")]
    public async Task A_subject_arrives_in_a_form_that_cannot_be_taken_for_another(string subject, string expected)
    {
        var received = await ReceiveAsync(
            $"/plain/{Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture)}", platform.World.Issuer.Issue(new() { Subject = subject }));

        Assert.Equal([expected], received.Headers["X-Gateway-Subject"]);
        Assert.Equal(subject, Uri.UnescapeDataString(expected));
    }

    [Theory]
    [InlineData("/plain/target/a%20b?q=%2Fx&r=a+b", "/plain/target/a%20b?q=%2Fx&r=a+b")]
    [InlineData("/organizations/o%2Dacme/target", "/organizations/o-acme/target")]
    [InlineData("/plain/target/end/", "/plain/target/end/")]
    public async Task A_service_gets_the_path_that_was_authorized(string target, string expected)
    {
        await RawHttp.SendAsync(platform.Gateway.Url, target, "GET", $"Authorization: Bearer {platform.World.Token("o-acme")}");

        Assert.Contains(platform.World.Downstream.Requests.Snapshot(), request => request.Target == expected);
    }

    private async Task<ReceivedRequest> ReceiveAsync(string target, string? token, params string[] headers)
    {
        var unique = $"{target}?{Guid.NewGuid():N}";
        var answer = await RawHttp.SendAsync(platform.Gateway.Url, unique, "GET", token is null ? headers : [$"Authorization: Bearer {token}", .. headers]);
        Assert.True(answer.Status == 200, answer.Body);
        return Assert.Single(platform.Received(unique));
    }
}
