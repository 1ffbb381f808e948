using Gateway.Networking;
using Xunit;

namespace Gateway.Tests.Networking;

/// <summary>RFC 9110, section 5.6.2: the form of methods and header names, for the rules and for the requests that arrive.</summary>
public sealed class HttpTokenTests
{
    [Theory]
    [InlineData("GET", true)]
    [InlineData("x-request-id", true)]
    [InlineData("!#$%&'*+-.^_`|~09AZaz", true)]
    [InlineData("", false)]
    [InlineData("a b", false)]
    [InlineData("a\tb", false)]
    [InlineData("a\u00e9", false)]
    [InlineData("a\u007f", false)]
    public void Is_ValidCharactersOnly(string text, bool expected) => Assert.Equal(expected, HttpToken.Is(text));

    [Fact]
    public void Is_EachDelimiter_IsFalse() => Assert.All("\"(),/:;<=>?@[\\]{} ", delimiter => Assert.False(HttpToken.Is($"a{delimiter}")));
}
