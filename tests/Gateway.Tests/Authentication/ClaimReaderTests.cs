using System.Text.Json;
using Gateway.Authentication;
using Gateway.Configuration;
using Xunit;

namespace Gateway.Tests.Authentication;

public sealed class ClaimReaderTests
{
    [Theory]
    [InlineData("""{"roles":1}""", "roles", "1")]
    [InlineData("""{"realm_access":{"roles":1}}""", "realm_access.roles", "1")]
    [InlineData("""{"https://example.com/roles":1}""", "https://example.com/roles", "1")]
    [InlineData("""{"https://example.com/a":{"roles":1}}""", "https://example.com/a.roles", "1")]
    [InlineData("""{"resource_access":{"my.client":{"roles":1}}}""", "resource_access.my.client.roles", "1")]
    [InlineData("""{"resource_access":{"my.client.eu":{"roles":1}}}""", "resource_access.my.client.eu.roles", "1")]
    [InlineData("""{"a.b":1,"a":{"b":2}}""", "a.b", "1")]
    [InlineData("""{"a":{"b":2,"b.c":3}}""", "a.b.c", "3")]
    [InlineData("""{"a":{"b":{"c":2},"b.c":3}}""", "a.b.c", "3")]
    [InlineData("""{"a.b":{"c":1},"a":{"b.c":2}}""", "a.b.c", "1")]
    [InlineData("""{"a":null}""", "a", "")]
    [InlineData("""{"\u0061":{"b":1}}""", "a.b", "1")]
    public void A_claim_is_found_by_its_name_or_else_by_its_path(string claims, string name, string expected)
    {
        using var document = JsonDocument.Parse(claims);

        Assert.True(ClaimReader.TryFind(document.RootElement, name, out var value));
        Assert.Equal(expected, value.ToString());
    }

    [Theory]
    [InlineData("""{"a":{"b":1}}""", "a.c")]
    [InlineData("""{"a":{"b":1}}""", "b")]
    [InlineData("""{"a":{"b":1}}""", "a.b.c")]
    [InlineData("""{"a":{"b":1}}""", "A.b")]
    [InlineData("""{"a":{"b":1}}""", "a/b")]
    [InlineData("""{"a":{"b":1}}""", ".a.b")]
    [InlineData("""{"a":{"b":1}}""", "a.b.")]
    [InlineData("""{"a":{"b":1}}""", "a..b")]
    [InlineData("""{"a":{"b":1}}""", "")]
    [InlineData("""{"a":{"b":1}}""", ".")]
    [InlineData("""{"a":[{"b":1}]}""", "a.b")]
    [InlineData("""{"a":["b"]}""", "a.0")]
    [InlineData("""{"a":"{\"b\":1}"}""", "a.b")]
    [InlineData("""{"a":null}""", "a.b")]
    // The longest name that is there is followed, and no other.
    [InlineData("""{"a.b":"text","a":{"b":{"c":1}}}""", "a.b.c")]
    [InlineData("""{"a.b":{},"a":{"b":{"c":1}}}""", "a.b.c")]
    [InlineData("[1]", "a")]
    [InlineData("\"a\"", "a")]
    [InlineData("null", "a")]
    public void Another_claim_is_never_guessed(string claims, string name)
    {
        using var document = JsonDocument.Parse(claims);

        Assert.False(ClaimReader.TryFind(document.RootElement, name, out var value));
        Assert.Equal(JsonValueKind.Undefined, value.ValueKind);
    }

    [Theory]
    [InlineData("B6 one as text", "\"o-a\"", "o-a")]
    [InlineData("B6 one in an array", "[\"o-a\"]", "o-a")]
    [InlineData("B6 two", "[\"o-a\",\"o-b\"]", "o-a o-b")]
    [InlineData("B6 text is taken whole: blanks", "\"o-a o-b\"", "")]
    [InlineData("B6 text is taken whole: commas", "\"o-a,o-b\"", "")]
    [InlineData("B6 text is taken whole: an array in it", "\"[\\\"o-a\\\"]\"", "")]
    [InlineData("B6 none", "[]", "")]
    [InlineData("B6 empty text", "\"\"", "")]
    [InlineData("B6 an array that is not of text alone", "[\"o-a\",1]", "")]
    [InlineData("B6 an array in an array", "[[\"o-a\"]]", "")]
    [InlineData("B6 an object", "{\"o-a\":{}}", "")]
    [InlineData("B6 a number", "1", "")]
    [InlineData("B6 null", "null", "")]
    [InlineData("B6 one that is not of the issuer's", "[\"o-a\",\"o-c\"]", "o-a")]
    [InlineData("B6 one that is malformed", "[\"o-a\",\"o-*\"]", "o-a")]
    public void ArrayOrSingle_is_an_array_of_texts_or_one_text(string name, string claim, string expected)
    {
        using var document = JsonDocument.Parse($$$"""{"nested":{"organizations":{{{claim}}}}}""");
        var reader = Reader(new() { Claim = "nested.organizations", Format = OrganizationClaimFormat.ArrayOrSingle, Only = ["o-a", "o-b"] });

        Assert.Equal((name, expected), (name, string.Join(' ', reader.Organizations(document.RootElement).Order(StringComparer.Ordinal))));
    }

    [Fact]
    public void Roles_and_scopes_are_read_by_their_paths()
    {
        using var document = JsonDocument.Parse("""{"realm_access":{"roles":["a","b c"]},"permissions":{"granted":"read write"},"scp":["x"]}""");
        var reader = Reader(null);

        Assert.Equal(["a", "b c"], reader.Roles(document.RootElement).Order(StringComparer.Ordinal));
        Assert.Equal(["read", "write", "x"], reader.Scopes(document.RootElement).Order(StringComparer.Ordinal));
        Assert.Empty(reader.Organizations(document.RootElement));
    }

    private static ClaimReader Reader(OrganizationClaimOptions? organizations) =>
        new(OrganizationIdFormat.TryCreate(new() { Prefix = "o-", Characters = "A-Za-z0-9" }, out _)!)
        {
            OrganizationClaim = organizations,
            RoleClaim = "realm_access.roles",
            ScopeClaims = ["permissions.granted", "scp"],
        };
}
