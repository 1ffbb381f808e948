using Amazon.SecurityToken.Model;
using CredentialModule.Telemetry;
using CredentialModule.Vending;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace CredentialModule.Aws;

/// <summary>
/// Who the gateway is to AWS, the same in every replica: a long-lived key by its id, a role by its ARN without the session's name
/// (which differs by replica). Asked once a process.
/// </summary>
internal sealed partial class GatewayIdentity(
    OwnCredentials own, AwsClients clients, IOptions<IotCredentialsOptions> module, SingleFlight flights, FailureMemory failures,
    ILogger<GatewayIdentity> logger)
{
    private const string Call = "sts:GetCallerIdentity";

    private string? _identity;

    /// <exception cref="VendingException">It cannot be found out.</exception>
    public ValueTask<string> FindAsync(string region) => _identity is { } known ? new(known) : new(AskAsync(region));

    private Task<string> AskAsync(string region) => flights.JoinAsync(
        $"identity {region}", () => failures.GuardAsync($"identity {region}", () => FindOutAsync(region)));

    private async Task<string> FindOutAsync(string region)
    {
        using var deadline = new CancellationTokenSource(module.Value.WorkTimeout);
        try
        {
            own.ThrowIfRefused(region, Call);
            var keys = (await own.FindAsync(deadline.Token)).Values;
            if (!keys.UseToken) return _identity = keys.AccessKey;
            var arn = await own.UseAsync(
                region, Call, clients.StsUrl(region),
                async credentials =>
                {
                    using var sts = clients.Sts(region, credentials);
                    return (await sts.GetCallerIdentityAsync(new GetCallerIdentityRequest(), deadline.Token)).Arn
                        ?? throw new VendingException(FailureClass.Unavailable, "the response of sts:GetCallerIdentity names nobody");
                },
                deadline.Token);
            return _identity = arn.Contains(":assumed-role/", StringComparison.Ordinal) ? arn[..arn.LastIndexOf('/')] : arn;
        }
        catch (VendingException failure) when (failure.Failure != FailureClass.Credentials)
        {
            Log.IdentityUnknown(logger, failure.Failure, failure.Message);
            throw;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.IdentityUnknown, LogLevel.Error,
            "Who the gateway is to AWS could not be found out ({Failure}): {Cause}. Nothing is vended until it is: check the credentials that the AWS SDK finds")]
        public static partial void IdentityUnknown(ILogger logger, FailureClass failure, string cause);
    }
}
