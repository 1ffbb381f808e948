using FsCheck;
using FsCheck.Fluent;
using Testing;
using Xunit;

namespace Gateway.Tests.Edge;

/// <summary>
/// Raw targets of every kind, sent by a member of <c>o-acme</c> alone: what reaches a service under a policy that asks for membership stays a
/// path of <c>o-acme</c>, whatever the service makes of it. <c>TARGET_SEED</c> tries others.
/// </summary>
public sealed class TargetPropertyTests(PlatformFixture platform, ITestOutputHelper output) : IClassFixture<PlatformFixture>
{
    private const int Cases = 1500;
    private const string Own = "/organizations/o-acme";

    private static readonly string[] s_harmless = ["organizations", "o-acme", "a", "b.c", "x%20y", "caf%C3%A9", "plain", "%6f-acme", "o%2dacme"];

    private static readonly string[] s_hostile =
    [
        "", ".", "..", "%2e", "%2e%2e", ".%2E", "%252e%252e", "..%20", "..%00", "...", "..;", "..;x=1", ";x", "%3b", "..%3b", "o-other", "organizations",
        "plain", "*", "%", "%2", "%2f", "..%2f..%2fo-other", "..%252f..%252fo-other", "\\", "..\\..\\o-other", "%5c", "..%5c..%5co-other", "%255c",
        "%c0%ae%c0%ae", "..%c0%afo-other", "%EF%BC%8E%EF%BC%8E", "..%EF%BC%8F..%EF%BC%8Fo-other", "..%EF%BC%BCo-other", "%EF%BC%852e%EF%BC%852e", "%E2%80%A5",
        ".%E2%80%8B.", "%E2%80%A4%E2%80%A4", "..%CD%BEx", "#", "a#b", "%23", "?a", "%3f", "..?", "%u002e%u002e", "%0d%0a", "%09", "\u0001", "\u00e9", "%E9",
        "..%C2%A5o-other", "a%E2%82%A9..%E2%82%A9..%E2%82%A9o-other", ".%E2%80%AE.", "..%E2%80%83", "%D9%AA2e%D9%AA2e", "%D9%AA2e%D9%AA2e%D9%AA2fo-other",
        "%ED%A0%80", "http:", "@evil.example.com", "..%E2%88%95..%E2%88%95o-other",
    ];

    // Where most targets are refused at once, a start that is let in leaves more to what follows it.
    private static readonly Arbitrary<string> s_targets = (
        from start in Gen.Elements(Own, Own, Own, Own + "/a", "/organizations", "/plain", "", "http://127.0.0.1" + Own)
        from harmless in Gen.Elements(s_harmless).ListOf()
        from hostile in Gen.Elements(s_hostile).ListOf()
        from mixed in Gen.Shuffle(harmless.Take(3).Concat(hostile.Take(3)).ToArray())
        from quiet in Gen.Choose(0, 2)
        from separator in Gen.Frequency((12, Gen.Constant("/")), (1, Gen.Constant("//")), (1, Gen.Constant("\\")), (1, Gen.Constant("")))
        select string.Join(separator, (string[])[start, .. quiet == 0 ? mixed.Intersect(s_harmless) : mixed])).ToArbitrary();

    [Fact]
    public void What_arrives_for_an_organization_stays_its_own_by_any_reading()
    {
        var seed = Seed.Of("TARGET_SEED");
        var token = platform.World.Token("o-acme");
        var (arrived, hostile) = (0, 0);

        var property = Prop.ForAll(s_targets, target =>
        {
            var before = platform.World.Downstream.Requests.Snapshot().Count;
            RawHttp.ExchangeAsync(
                platform.Gateway.Url,
                $"GET {target} HTTP/1.1\r\nHost: {new Uri(platform.Gateway.Url).Authority}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n")
                .GetAwaiter().GetResult();
            var received = platform.World.Downstream.Requests.Snapshot().Skip(before)
                .Where(request => request.Headers.ContainsKey("X-Gateway-Organization")).Select(request => request.Target).ToArray();

            arrived += received.Length;
            hostile += received.Length == 0 && target.StartsWith(Own, StringComparison.Ordinal) && Strays(target) is not null ? 1 : 0;
            foreach (var path in received)
            {
                if (Strays(path) is { } other) throw new InvalidOperationException($"{target} arrives as {path}, which can be read as {other}");
            }
        });

        seed.Check(property, Cases);

        output.WriteLine($"{seed}: {Cases} targets, {arrived} arrived, {hostile} refused that some would read as another organization's");
        // Where nothing arrives, or nothing would do harm, nothing is proven.
        Assert.InRange(arrived, Cases / 20, Cases);
        Assert.InRange(hostile, Cases / 20, Cases);
    }

    private static string? Strays(string target) =>
        Normalisation.Closure(target.Split('?')[0]).FirstOrDefault(path => path != Own && !path.StartsWith(Own + "/", StringComparison.OrdinalIgnoreCase));
}
