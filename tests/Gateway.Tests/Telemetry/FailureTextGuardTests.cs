using System.Text.RegularExpressions;
using Testing;
using Xunit;

namespace Gateway.Tests.Telemetry;

/// <summary>What is told of a failure goes through one place: no source file reads an exception's text beside it, and no log takes an exception.</summary>
public sealed partial class FailureTextGuardTests
{
    // Each with the reason why the text that it reads is no foreign one, or is cleaned.
    private static readonly Dictionary<string, string> s_readers = new()
    {
        ["CredentialModule/Failures/FailureText.cs"] = "the place",
        ["Gateway/Telemetry/LoggedException.cs"] = "cleaned by SecretText, and not read of libraries that quote peers",
        ["CredentialModule/Aws/AmazonIoT.cs"] = "handed on as the SDK does, and not told",
        ["CredentialModule/Aws/AwsErrorMapper.cs"] = "compared with words and a form, and not told; of a refused policy cleaned by SecretText",
        ["CredentialModule/Aws/OwnCredentials.cs"] = "a VendingException's: words of our own",
        ["CredentialModule/Aws/GatewayIdentity.cs"] = "a VendingException's: words of our own",
        ["CredentialModule/Aws/AssumeRoleClient.cs"] = "a VendingException's: words of our own",
        ["CredentialModule/Vending/IotDataEndpointResolver.cs"] = "a VendingException's: words of our own",
        ["CredentialModule/Fetching/NegativeCache.cs"] = "a VendingException's: words of our own",
        ["CredentialModule/OrganizationDirectory/OrganizationLocator.cs"] = "a VendingException's: words of our own",
        ["CredentialModule/Redis/RedisProbe.cs"] = "its own exception's: words about a certificate",
        ["CredentialModule/Failures/RedisProblem.cs"] = "Redis's code alone",
        ["CredentialModule/Caching/SealedDistributedCache.cs"] = "compared, and not told",
        ["CredentialModule/Redis/RedisConnection.cs"] = "compared, and not told",
        ["CredentialModule/Caching/CredentialCache.cs"] = "a file of sealing keys: path and line, never its content",
        ["CredentialModule/Profiles/IProfileProvider.cs"] = "cleaned by SecretText",
        ["Gateway/AwsIdentity/AzureToken.cs"] = "Entra's code alone",
        ["Gateway/AwsIdentity/AzureWebIdentity.cs"] = "a VendingException's: words of our own",
        ["Gateway/Authentication/Keys/VerificationKey.cs"] = "constant texts about base64url",
        ["Gateway/Hosting/ServerCertificates.cs"] = "constant texts about a certificate's file",
        ["Gateway/Commands/Doctor/DestinationCheck.cs"] = "a SocketException's: the system's text for its code",
        ["Gateway/Commands/Doctor/DoctorResult.cs"] = "a VendingException's: words of our own",
        ["Gateway/Commands/Explain/GivenToken.cs"] = "cleaned by SecretText",
        ["Gateway/Commands/Diff/DiffCommand.cs"] = "cleaned by SecretText",
        ["Gateway/Commands/CommandOutput.cs"] = "the system's text for why output cannot be written",
        ["Gateway/Program.cs"] = "an OutputException's: words of our own and the system's",
        ["Gateway/Commands/RunCommand.cs"] = "cleaned by SecretText",
        ["Gateway/Authentication/RefusalText.cs"] = "the gateway's own words, and one sentence of Microsoft.Identity.Web's",
        ["Gateway/Authentication/Refusals.cs"] = "the gateway's own words, compared, and not told",
        ["Gateway/RateLimiting/RedisRateLimiterFallback.cs"] = "compared, and not told",
        ["Gateway/Configuration/Rules/Listeners/KestrelLimitRules.cs"] = "cleaned by SecretText",
        ["Gateway/Configuration/Rules/LoggingRules.cs"] = "cleaned by SecretText",
        ["Gateway/Configuration/Snapshots/Parts.cs"] = "cleaned by SecretText",
        ["Gateway/Configuration/DryRun/RouterTrial.cs"] = "looked up in a table, and not told",
    };

    [Fact]
    public void D4_an_exceptions_text_is_read_in_one_place()
    {
        var readers = Sources().Where(source => Text().IsMatch(source.Content)).Select(source => source.Path).ToList();

        Assert.Empty(readers.Except(s_readers.Keys));
        Assert.Empty(s_readers.Keys.Except(readers));
    }

    [Fact]
    public void D4_no_log_of_ours_takes_an_exception()
    {
        Assert.Empty(Sources().Where(source => LogOfException().IsMatch(source.Content)).Select(source => source.Path));
        Assert.Empty(Sources().Where(source => DirectLog().IsMatch(source.Content)).Select(source => source.Path));
    }

    private static IEnumerable<(string Path, string Content)> Sources()
    {
        var sources = Path.Combine(Repository.Root, "src");
        return ((string[])["CredentialModule", "Gateway"])
            .SelectMany(project => Directory.EnumerateFiles(Path.Combine(sources, project), "*.cs", SearchOption.AllDirectories))
            .Select(file => (Path: Path.GetRelativePath(sources, file).Replace('\\', '/'), Content: File.ReadAllText(file)))
            .Where(source => !source.Path.Contains("/obj/", StringComparison.Ordinal) && !source.Path.Contains("/bin/", StringComparison.Ordinal));
    }

    [GeneratedRegex(
        @"\b(e|error|exception|cause|reason|failure|known|refusal|Failure|GetBaseException\(\)|InnerException!?)\??\.Message\b|when \(\w+\.Message")]
    private static partial Regex Text();

    [GeneratedRegex(@"partial void \w+\(ILogger logger[^)]*Exception\b")]
    private static partial Regex LogOfException();

    [GeneratedRegex(@"\.Log(Trace|Debug|Information|Warning|Error|Critical)\(")]
    private static partial Regex DirectLog();
}
