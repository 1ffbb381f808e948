using Amazon.SecurityToken.Model;
using IotCredentials.Failures;
using IotCredentials.Fetching;
using IotCredentials.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace IotCredentials.Aws;

/// <summary>
/// The gateway's identity at AWS, the same in every replica: the id of a long-lived access key, or a role's ARN without the session name (which differs by
/// replica). It is determined once per process.
/// </summary>
internal sealed partial class GatewayIdentity(
    OwnCredentials own, AwsClients clients, IOptions<IotCredentialsOptions> module, SingleFlight flights, NegativeCache failures,
    ILogger<GatewayIdentity> logger)
{
    private const string Call = "sts:GetCallerIdentity";

    private string? _identity;

    /// <exception cref="VendingException">The identity cannot be determined.</exception>
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
            "Who the gateway is to AWS could not be found out ({Failure}): {Cause}. Nothing is vended until it is: "
            + "check the credentials that the AWS SDK finds",
            EventName = nameof(EventIds.IdentityUnknown))]
        public static partial void IdentityUnknown(ILogger logger, FailureClass failure, string cause);
    }
}
