using Gateway.Authentication;
using Xunit;

namespace Gateway.Tests.Authentication;

public sealed class ApiKeyTextTests
{
    [Fact]
    public void A_new_key_has_the_documented_form_and_is_never_the_same()
    {
        var keys = Enumerable.Range(0, 100).Select(static _ => ApiKeyText.Create()).ToList();

        Assert.Equal(100, keys.Distinct().Count());
        Assert.All(keys, static key => Assert.Matches("^igw_[A-Za-z0-9_-]{43}[A-Za-z0-9_-]{6}$", key));
        Assert.All(keys, static key => Assert.True(ApiKeyText.IsOwn(key) && ApiKeyText.IsWellFormed(key)));
    }

    [Fact]
    public void Any_one_changed_character_is_found_by_the_checksum()
    {
        var key = ApiKeyText.Create();
        for (var place = 0; place < key.Length; place++)
        {
            var changed = key.ToCharArray();
            changed[place] = changed[place] == 'x' ? 'y' : 'x';
            // Without its beginning it is a key of another make, which has no checksum.
            Assert.Equal(place < ApiKeyText.Prefix.Length, ApiKeyText.IsWellFormed(new string(changed)));
        }
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("x", true)]
    [InlineData("igw_", false)]
    [InlineData("IGW_", true)]
    [InlineData("a b", false)]
    [InlineData("a\tb", false)]
    [InlineData("a\u007f", false)]
    [InlineData("\u00e4", false)]
    [InlineData("!~", true)]
    public void A_key_is_visible_ASCII(string text, bool isWellFormed) => Assert.Equal(isWellFormed, ApiKeyText.IsWellFormed(text));

    [Fact]
    public void A_key_has_512_characters_at_most()
    {
        Assert.True(ApiKeyText.IsWellFormed(new string('x', 512)));
        Assert.False(ApiKeyText.IsWellFormed(new string('x', 513)));
        Assert.False(ApiKeyText.IsWellFormed(new string('x', 100_000)));
    }
}
