namespace Deployment.Tests;

/// <summary>Bodies that no gateway sends, but something on the way may.</summary>
internal static class StrangeBodies
{
    private const string Data = """
        {"data":{"awsRegion":"eu-west-1","iotEndpoint":"a-ats.iot.eu-west-1.amazonaws.com",
        "credentials":{"accessKeyId":"AKIA","secretAccessKey":"s","sessionToken":"t","expiration":"2200-01-01T00:00:00.000Z"}}}
        """;

    /// <summary>Bodies of a 200 without valid credentials.</summary>
    public static IEnumerable<string> Credentials =>
    [
        "",
        "<html>sign in</html>",
        "null",
        "5",
        "\"data\"",
        "[\"data\"]",
        "{}",
        """{"data":null}""",
        """{"data":[]}""",
        """{"data":{}}""",
        Data.Replace("\"t\"", "null", StringComparison.Ordinal),
        Data.Replace("\"t\"", "5", StringComparison.Ordinal),
        Data.Replace("sessionToken", "token", StringComparison.Ordinal),
        Data.Replace("\"eu-west-1\"", "{}", StringComparison.Ordinal),
        Data.Replace("2200-01-01T00:00:00.000Z", "soon", StringComparison.Ordinal),
        Data.Replace("\"2200-01-01T00:00:00.000Z\"", "7258118400", StringComparison.Ordinal),
        // Expired. A client that takes them has to ask again at once.
        Data.Replace("2200", "2020", StringComparison.Ordinal),
        new string('[', 100_000),
    ];

    /// <summary>Bodies of an error without a reason.</summary>
    public static IEnumerable<string> Errors =>
        ["", "[]", "\"denied\"", "null", "5", """{"error":5}""", """{"error":{"toString":null}}""", new string('[', 100_000)];
}
