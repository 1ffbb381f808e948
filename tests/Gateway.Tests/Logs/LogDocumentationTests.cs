using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Gateway.Logs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Testing;
using Xunit;

namespace Gateway.Tests.Logs;

/// <summary>docs/access-log.md lists the members of each JSON line as a gateway writes them, in their order, and its examples have the same.</summary>
public sealed partial class LogDocumentationTests(LogDocumentationTests.Audited platform) : IClassFixture<LogDocumentationTests.Audited>
{
    private const string Page = "access-log.md";

    // Each with the examples in the page's order.
    public static TheoryData<string, int> Lines => new() { { "access", 0 }, { "Audit", 1 }, { "AuditInvalidation", 2 } };

    // A request to invalidate: the organization, who asks, the response's status, and the line's organization, outcome and subject.
    public static TheoryData<string, string?, int, string, string, string?> Invalidations => new()
    {
        { "o-done", "oscar", 204, "o-done", "Done", "oscar" },
        { "o-member", "alice", 403, "o-member", "Refused", "alice" },
        { "o-nobody", null, 401, "o-nobody", "Refused", null },
        { "not%0aan%20id", "oscar", 422, "not%0Aan%20id", "Refused", "oscar" },
    };

    [Theory]
    [MemberData(nameof(Lines))]
    public async Task The_members_of_a_line_are_those_of_the_table_and_of_the_example_in_their_order(string kind, int example)
    {
        var line = await LineAsync(kind);

        var written = string.Join(", ", line.EnumerateObject().Select(member => member.Name));
        Assert.Equal(written, string.Join(", ", Documented(kind)));
        var text = Example().Matches(File.ReadAllText(Path.Combine(Repository.Root, "docs", Page)))[example].Groups["json"].Value;
        Assert.Equal(written, string.Join(", ", JsonNode.Parse(text)!.AsObject().Select(member => member.Key)));
    }

    [Theory]
    [MemberData(nameof(Invalidations))]
    public async Task A_request_to_invalidate_is_a_JSON_line_of_the_audit_carried_out_or_refused(
        string organization, string? subject, int status, string logged, string outcome, string? caller)
    {
        var response = await InvalidateAsync(organization, subject);

        Assert.Equal(status, response.Status);
        var requestId = Assert.Single(response.Headers.GetValues("X-Request-Id"));
        var line = await AccessLines.WithAsync(platform.Gateway, $"\"requestId\":\"{requestId}\"");
        Assert.Equal("AuditInvalidation", line.GetProperty("event").GetString());
        Assert.Equal(caller is null ? null : platform.World.Issuer.Issuer, line.GetProperty("issuer").GetString());
        Assert.Equal(caller, line.GetProperty("subject").GetString());
        Assert.Equal(logged, line.GetProperty("organization").GetString());
        Assert.Equal((outcome, status), (line.GetProperty("outcome").GetString(), line.GetProperty("status").GetInt32()));
        Assert.Equal(JsonValueKind.Null, line.GetProperty("traceId").ValueKind);
    }

    private static IEnumerable<string> Documented(string kind) => kind == "access"
        ? DocumentTable.Rows(Page, "## The access log").SelectMany(row => DocumentTable.Code(row[0]))
        : DocumentTable.Rows(Page, "## The audit log").Where(row => row[1] == "both" || row[1] == $"`{kind}`").SelectMany(row => DocumentTable.Code(row[0]));

    private async Task<JsonElement> LineAsync(string kind)
    {
        var organization = $"o-{kind}";
        if (kind == "AuditInvalidation") await InvalidateAsync(organization, "oscar");
        else if (kind == "Audit") await platform.Gateway.VendAsync(organization);
        else await platform.SendAsync("/plain/documented", platform.World.Token());
        return kind == "access"
            ? await AccessLines.OfPathAsync(platform.Gateway, "/plain/documented")
            : await AccessLines.WithAsync(platform.Gateway, $"\"organization\":\"{organization}\",\"{(kind == "Audit" ? "profile" : "outcome")}\"");
    }

    private Task<Response> InvalidateAsync(string organization, string? subject) => platform.World.Client.SendAsync(
        $"{platform.Gateway.ManagementUrl}/organizations/{organization}/credentials",
        subject is null ? null : platform.World.Issuer.Issue(new() { Subject = subject, Roles = subject == "oscar" ? ["platform-operator"] : [] }),
        "DELETE");

    [GeneratedRegex("^```json\n(?<json>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Example();

    public sealed class Audited : PlatformFixture
    {
        protected override void Change(JsonObject settings) => settings
            .Set("Authorization:Policies:Operators", """{ "Roles": ["platform-operator"] }""")
            .Set("Management:AuthorizationPolicy", "\"Operators\"");

        // RunningGateway leaves out the log providers of a process.
        protected override void Replace(IServiceCollection services) => services.AddSingleton<ILoggerProvider, AuditLog>();
    }
}
