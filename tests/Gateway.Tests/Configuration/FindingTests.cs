using Gateway.Configuration;
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
}
