using IotCredentials.Failures;
using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>What a finding may show of a value.</summary>
public sealed class SecretTextTests
{
    private const string Key = "q7Zk3mV0tX9bLw2RfYc5HsJ8uNaE1dGiPo4KxWyTnQ0=";
    private const string Url = "q7Zk3mV0-X9bLw2RfYc5HsJ8uNaE_dGiPo4KxWyTnQ0";
    private const string Hex = "abb6649b5744b57f5b2f0d917d8739 1ec27cb8d6a4475d88a8f2b0a58c9f27ad";

    [Theory]
    [InlineData("S23 base64", Key)]
    [InlineData("S23 unpadded", "q7Zk3mV0tX9bLw2RfYc5HsJ8uNaE1dGiPo4KxWyTnQ0")]
    [InlineData("S23 base64url", Url)]
    [InlineData("S23 with slashes", "/q7Zk3mV0tX9/Lw2RfYc5H/J8uNaE1dGiP/4KxWyTnQ0=")]
    [InlineData("S23 hexadecimal", "abb6649b5744b57f5b2f0d917d87391ec27cb8d6a4475d88a8f2b0a58c9f27ad")]
    [InlineData("S23 HEXADECIMAL", "ABB6649B5744B57F5B2F0D917D87391EC27CB8D6A4475D88A8F2B0A58C9F27AD")]
    [InlineData("S23 hexadecimal in groups", Hex)]
    [InlineData("S23 hexadecimal with colons", "ab:b6:64:9b:57:44:b5:7f:5b:2f:0d:91:7d:87:39:1e:c2:7c:b8:d6")]
    [InlineData("S23 hexadecimal with a prefix", "0xabb6649b5744b57f5b2f0d917d87391ec27cb8d6a4475d88a8f2b0a58c9f27ad")]
    [InlineData("S23 hexadecimal behind a word, that switches seldom", "hushabb61234567890123456abcdefabcdef")]
    [InlineData("S23 a token with a prefix", "ghp_q7Zk111111111111222222222222aaaa")]
    [InlineData("S23 a key with a suffix", "abb6000000000000000000000000000a-v2")]
    [InlineData("S23 digits behind a letter", "abb600000000000000000000000000001")]
    [InlineData("S23 quoted", "\"q7Zk3mV0tX9bLw2RfYc5HsJ8uNaE1dGiPo4KxWyTnQ0=\"")]
    [InlineData("S23 in quotes of the shell", "'q7Zk3mV0tX9bLw2RfYc5HsJ8uNaE1dGiPo4KxWyTnQ0='")]
    [InlineData("S23 in groups", "q7Zk3mV0 tX9bLw2R fYc5HsJ8 uNaE1dGi Po4KxWyT nQ0=")]
    [InlineData("S23 in lines", "q7Zk3mV0tX9b\nLw2RfYc5HsJ8\nuNaE1dGiPo4K\nxWyTnQ0=")]
    [InlineData("S23 in escaped lines", "q7Zk3mV0tX9b\\nLw2RfYc5HsJ8\\nuNaE1dGiPo4K\\nxWyTnQ0=")]
    [InlineData("S23 two keys", Key + "\n" + Key)]
    [InlineData("S23 percent-encoded", "q7Zk3mV0tX9bLw2RfYc5%2BHsJ8uNaE1dGiPo4KxWyTnQ0%3D")]
    [InlineData("S23 below a path", "/run/secrets/q7Zk3mV0tX9bLw2RfYc5HsJ8uNaE1dGiPo4KxWyTnQ0=")]
    [InlineData("S23 behind a word", "base64:q7Zk3mV0tX9bLw2RfYc5HsJ8uNaE1dGiPo4KxWyTnQ0=")]
    [InlineData("S23 a token", "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lkIn0.q7Zk3mV0tX9bLw2RfYc5")]
    [InlineData("S23 an AWS key", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzq7Zk3mV0t")]
    [InlineData("S23 base32", "MZXW6YTBOI3DK2LPNRXXGZJAMFXGIIDT")]
    [InlineData("S23 PEM", "-----BEGIN PRIVATE KEY-----\nMIIE q7Zk\n-----END PRIVATE KEY-----")]
    [InlineData("S23 user and password without a scheme", "gateway:q7Zk@redis.internal:6379")]
    [InlineData("S23 user and password of a scheme", "redis://gateway:q7Zk@redis.internal:6379")]
    [InlineData("S23 a password with an @", "redis://gateway:q7Zk@0tX9@redis.internal:6379")]
    [InlineData("S23 a password with a slash", "gateway:q7Zk/q7Zk@redis.internal")]
    [InlineData("S23 a connection string", "redis.internal:6379,ssl=true,password=q7Zk,user=gateway")]
    [InlineData("S23 a password with separators", "redis.internal:6379,password=\"a,b;q7Zk\"")]
    [InlineData("S23 a connection string of SQL", "Server=db;User Id=sa;Pwd = q7Zk;")]
    [InlineData("S23 a connection string of Azure", "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=q7Zk")]
    [InlineData("S23 a shared access key", "Endpoint=sb://a/;SharedAccessKeyName=n;SharedAccessKey=q7Zk")]
    [InlineData("S23 a query", "https://id.example.com/?client_secret=q7Zk")]
    [InlineData("S23 JSON", "{ \"password\": \"q7Zk\" }")]
    [InlineData("S23 a header", "Bearer q7Zk")]
    [InlineData("S23 a basic header", "Authorization: Basic q7Zk")]
    public void S23_no_part_of_what_may_be_a_secret_is_shown(string kind, string value)
    {
        var shown = Finding.Quote(value);

        foreach (var part in (string[])["q7Zk", "tX9b", "Lw2R", "HsJ8", "abb6", "ABB6", "b6:64", "5744", "MZXW", "FEMI", "eyJh", "MIIE"])
            Assert.False(shown.Contains(part, StringComparison.Ordinal), $"{kind}: {shown}");
    }

    [Theory]
    [InlineData("/organizations/{organizationId}/devices/{**rest}")]
    [InlineData("https://login.example.com/realms/iot/v2.0")]
    [InlineData("arn:aws:iam::111122223333:role/iot-organization")]
    [InlineData("OrganisationMember")]
    [InlineData("iot-endpoint-and-credentials")]
    [InlineData("X-Forwarded-Client-Cert")]
    [InlineData("policies/organization.json")]
    [InlineData("/run/secrets/sealing-keys")]
    [InlineData("api://gateway")]
    [InlineData("http://[2001:db8:85a3::8a2e:370:7334]:8080")]
    [InlineData("2001:0db8:85a3:0000:0000:8a2e:0370:7334")]
    [InlineData("00:00:30")]
    [InlineData("RequireAuthenticatedUserOfThePlatform")]
    [InlineData("abc-ats.iot.eu-west-1.amazonaws.com")]
    public void What_names_something_is_shown_whole(string value) => Assert.Equal($"\"{value}\"", Finding.Quote(value));

    [Theory]
    [InlineData(
        "Failed to convert configuration value 'q7Zk3mV0tX9bLw2RfYc5HsJ8' at 'Kestrel:Limits'.",
        "Failed to convert configuration value '…' at 'Kestrel:Limits'.")]
    [InlineData("Cannot reach redis://user:q7Zk@host:6379 now.", "Cannot reach redis://…@host:6379 now.")]
    [InlineData("Cannot reach user:q7Zk@host:6379 now.", "Cannot reach …@host:6379 now.")]
    public void S23_a_librarys_sentence_keeps_its_words(string text, string expected) => Assert.Equal(expected, SecretText.HideInSentence(text));

    [Theory]
    [InlineData(Key)]
    [InlineData("q7Zk3mV0tX9bLw2RfYc5HsJ8uNaE1dGiPo4KxWyTnQ0")]
    [InlineData(Url)]
    [InlineData(Hex)]
    [InlineData("\\\"q7Zk3mV0tX9bLw2RfYc5HsJ8uNaE1dGiPo4KxWyTnQ0=\\\"")]
    [InlineData(" q7Zk3mV0tX9bLw2RfYc5 HsJ8uNaE1dGiPo4KxWyTnQ0= ")]
    [InlineData("q7Zk3mV0tX9bLw2RfYc5HsJ8\\nuNaE1dGiPo4KxWyTnQ0=\\n")]
    public void S23_a_sealing_key_in_the_place_of_its_path_is_named_as_such(string key)
    {
        using var configuration = new ConfigurationFixture();
        configuration.Set("Sealing:KeyPath", $"\"{key}\"");

        var finding = configuration.LoadBad();

        Assert.Equal("Sealing:KeyPath", finding.Key);
        Assert.Contains("is a key itself", finding.Message, StringComparison.Ordinal);
    }
}
