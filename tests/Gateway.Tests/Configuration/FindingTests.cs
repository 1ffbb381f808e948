using Xunit;

namespace Gateway.Tests.Configuration;

public sealed class FindingTests
{
    [Fact]
    public void ToString_IsOneLine()
    {
        Assert.Equal(
            "error IotCredentials:Profiles:default:RoleArn (appsettings.json): is \"x\". Write an ARN.",
            new Finding(Severity.Error, "IotCredentials:Profiles:default:RoleArn", "appsettings.json", "is \"x\". Write an ARN.").ToString());
        Assert.Equal("warning (command line): a\\u000ab", new Finding(Severity.Warning, "", "command line", "a\nb").ToString());
    }

    [Fact]
    public void Quote_HidesWhoASchemeLogsInAs_AndCutsWhatIsLong()
    {
        Assert.Equal("\"http://…@host/\"", Finding.Quote("http://user:pass@host/"));
        Assert.Equal("\"//…@host/\"", Finding.Quote("//user:pass@host/"));
        Assert.Equal(83, Finding.Quote(new string('x', 1000)).Length);
    }

    [Fact]
    public void Load_FindsAll_OrderedByKey()
    {
        using var configuration = new ConfigurationFixture();
        configuration
            .Set("Urls", "\"nowhere\"")
            .Set("Shutdown:Delay", "\"-00:00:01\"")
            .Set("Edge:Methods", "[]")
            .Set("Edge:Unknown", "1")
            .Set("Cors:Policies:Web:Origins", "[\"*\"]");
        configuration.Variables["Edge__FailedAuthentications__PermitLimit"] = "0";

        var result = configuration.Load();

        Assert.Null(result.Snapshot);
        Assert.Equal(
            ["Cors:Policies:Web:Origins:0", "Edge:FailedAuthentications:PermitLimit", "Edge:Methods", "Edge:Unknown", "Shutdown:Delay", "Urls"],
            result.Findings.Select(finding => finding.Key));
        Assert.Equal("environment variable Edge__FailedAuthentications__PermitLimit", result.Findings[1].Source);
    }

    [Fact]
    public void A10_A_finding_names_the_file_and_the_line()
    {
        using var configuration = new ConfigurationFixture();
        configuration.Write("appsettings.Production.json", "\uFEFF" + """
            {
              // A comment, and a text of two lines in escapes: \n
              "Edge": { "Methods": [
                "GET",
                "get" ] },
              "Shutdown":
              {
                "Dely": "00:00:01",

                "Delay": "soon"
              },
              "ReverseProxy": {
                "Routes": {
                  "r": {
                    "Match": { "Path": "/r" }
                  },
                  "organizations": {
                    "Order": 1
                  }
                }
              }
            }
            """.ReplaceLineEndings("\r\n"));
        configuration.Set("ReverseProxy:Routes:organizations:ClusterId", null);
        configuration.Variables["ReverseProxy__Routes__r__Order"] = "1";

        Assert.Equal(
            [
                ("Edge:Methods:1", "appsettings.Production.json:5"),
                ("ReverseProxy:Routes:organizations:ClusterId", "appsettings.Production.json:17"),
                ("ReverseProxy:Routes:r:ClusterId", "appsettings.Production.json:14"),
                ("Shutdown:Delay", "appsettings.Production.json:10"),
                ("Shutdown:Dely", "appsettings.Production.json:8"),
            ],
            configuration.Load().Findings.Select(finding => (finding.Key, finding.Source)));
    }

    [Fact]
    public void A10_A_key_that_is_given_twice_names_both_lines()
    {
        using var configuration = new ConfigurationFixture();
        configuration.Write("appsettings.Production.json", "{\n\"Urls\": \"http://localhost:1\",\n\"Urls\": \"http://localhost:1\"\n}");

        var finding = configuration.LoadBad();

        Assert.Equal("appsettings.Production.json:3", finding.Source);
        Assert.Contains("appsettings.Production.json:2", finding.Message, StringComparison.Ordinal);
    }
}
