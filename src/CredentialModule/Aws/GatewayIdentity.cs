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
internal sealed class GatewayIdentity(
    OwnCredentials own, AwsClients clients, IOptions<IotCredentialsOptions> module, SingleFlight flights, NegativeCache failures,
    ILogger<GatewayIdentity> logger)
{
    private const string Call = "sts:GetCallerIdentity";

    private string? _identity;
    private string? _account;

    /// <exception cref="VendingException">The identity cannot be determined.</exception>
    public ValueTask<string> FindAsync(string region) => _identity is { } known ? new(known) : new(AskAsync(region));

    private Task<string> AskAsync(string region) => flights.JoinAsync(
        $"identity {region}", () => failures.GuardAsync($"identity {region}", () => FindOutAsync(region)));

    /// <summary>The gateway's own account.</summary>
    /// <exception cref="VendingException">The account cannot be determined.</exception>
    public ValueTask<string> FindAccountAsync(string region) => _account is { } known ? new(known) : new(flights.JoinAsync(
        $"account {region}", () => failures.GuardAsync($"account {region}", () => FindOutAsync(
            region, async cancellation => _account = (await CallAsync(region, cancellation)).Account ?? throw NamesNobody()))));

    private Task<string> FindOutAsync(string region) => FindOutAsync(region, async cancellation =>
    {
        var keys = (await own.FindAsync(cancellation)).Values;
        if (!keys.UseToken) return _identity = keys.AccessKey;
        var response = await CallAsync(region, cancellation);
        _account ??= response.Account;
        var arn = response.Arn ?? throw NamesNobody();
        return _identity = arn.Contains(":assumed-role/", StringComparison.Ordinal) ? arn[..arn.LastIndexOf('/')] : arn;
    });

    private async Task<string> FindOutAsync(string region, Func<CancellationToken, Task<string>> find)
    {
        using var deadline = new CancellationTokenSource(module.Value.WorkTimeout);
        try
        {
            own.ThrowIfRefused(region, Call);
            return await find(deadline.Token);
        }
        catch (VendingException failure) when (failure.Failure != FailureClass.Credentials)
        {
            Log.IdentityUnknown(logger, failure.Failure, failure.Message);
            throw;
        }
    }

    private Task<GetCallerIdentityResponse> CallAsync(string region, CancellationToken cancellation) => own.UseAsync(
        region, Call, clients.StsUrl(region),
        async credentials =>
        {
            using var sts = clients.Sts(region, credentials);
            return await sts.GetCallerIdentityAsync(new GetCallerIdentityRequest(), cancellation);
        },
        cancellation);

    private static VendingException NamesNobody() => new(FailureClass.Unavailable, "the response of sts:GetCallerIdentity contains no ARN or account");
}
