using FsCheck;
using FsCheck.Fluent;
using IotCredentials.Aws;
using Testing;
using Xunit;

namespace IotCredentials.Tests.Vending;

public sealed class SessionNameTests
{
    private static readonly OrganizationIdFormat s_ids = OrganizationIdFormat.TryCreate(new OrganizationIdOptions(), out _)!;

    [Theory]
    [InlineData("a", "a=")]
    [InlineData("ab", "ab")]
    [InlineData("o-acme_1", "o-acme_1")]
    public void For_ShortOrganization_IsReadable(string id, string expected) => Assert.Equal(expected, SessionName.For(Id(id)));

    [Theory]
    [InlineData("https://id.example.com", "alice", "alice,id.example.com")]
    [InlineData("https://id.example.com", "alice@example.com", "alice@example.com,id.example.com")]
    [InlineData("http://id.example.com", "alice", "alice,,http+3A+2F+2Fid.example.com")]
    [InlineData("https://id.example.com", "ali ce|+", "ali+20ce+7C+2B,id.example.com")]
    [InlineData("https://id.example.com", "älice", "+C3+A4lice,id.example.com")]
    public void For_Caller_IsReadableWhereItFits(string issuer, string subject, string expected) => Assert.Equal(expected, SessionName.For(issuer, subject));

    [Fact]
    public void For_AnyOrganization_FitsSts() =>
        Seed.Of("NAME_SEED").Check(Prop.ForAll(Ids(), id => FitsSts(SessionName.For(Id(id)))), 100);

    [Fact]
    public void For_AnyCaller_FitsSts() =>
        Seed.Of("NAME_SEED").Check(Prop.ForAll(Texts(), Texts(), (issuer, subject) => FitsSts(SessionName.For(issuer, subject))), 100);

    [Fact]
    public void For_LookAlikeOrganizations_AllDiffer()
    {
        var prefixes = Enumerable.Range(1, 64).Select(length => new string('a', length)).ToList();
        var longPrefix = OrganizationIdFormat.TryCreate(new OrganizationIdOptions { Prefix = new string('p', 60) }, out _)!;

        var names = prefixes.Concat(prefixes.Select(prefix => prefix[..^1] + "b")).Select(id => SessionName.For(Id(id)))
            .Concat(prefixes.Select(body =>
                SessionName.For(longPrefix.TryParse(longPrefix.Prefix + body, out var id) ? id : throw new InvalidOperationException())))
            .ToList();

        Assert.Equal(names.Count, names.Distinct(StringComparer.Ordinal).Count());
        Assert.All(names, name => Assert.True(FitsSts(name), name));
    }

    [Fact]
    public void For_CallersThatReadAlike_AllDiffer()
    {
        (string Issuer, string Subject)[] callers =
        [
            ("https://a", "b"), ("http://a", "b"), ("a", "b"), ("https://b", "a"), ("https://a,b", "c"), ("https://b", "c,a"), ("https://a", "b,,a"),
            ("https://a", "b+2C"), ("https://a", "b,"), ("https://a", new string('x', 70)), ("https://a", new string('x', 71)),
            ("https://aa", new string('x', 70)), ("https://a", "+78"), ("https://a", "x"), ("", ""), ("", ","), (",", ""),
        ];

        var names = callers.Select(caller => SessionName.For(caller.Issuer, caller.Subject)).ToList();

        Assert.Equal(callers.Length, names.Distinct(StringComparer.Ordinal).Count());
    }

    private static OrganizationId Id(string text) => s_ids.TryParse(text, out var id) ? id : throw new ArgumentException(text);

    private static bool FitsSts(string name) =>
        name.Length is >= 2 and <= 64 && name.All(character => char.IsAsciiLetterOrDigit(character) || "_+=,.@-".Contains(character, StringComparison.Ordinal));

    private static Arbitrary<string> Ids() =>
        (from length in Gen.Choose(1, 64)
         from characters in Gen.ArrayOf(Gen.Elements("ab09_-".ToCharArray()), length)
         select new string(characters)).ToArbitrary();

    private static Arbitrary<string> Texts() =>
        (from length in Gen.Choose(0, 90)
         from characters in Gen.ArrayOf(Gen.Elements("ab,+=@/ é|\n".ToCharArray()), length)
         select new string(characters)).ToArbitrary();
}
