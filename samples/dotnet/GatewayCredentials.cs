using Amazon.Runtime;

namespace IotClient;

/// <summary>The gateway's credentials for any client of the AWS SDK, which refreshes them by itself.</summary>
internal sealed class GatewayCredentials : RefreshingAWSCredentials
{
    private readonly CredentialSource _source;

    public GatewayCredentials(CredentialSource source)
    {
        _source = source;
        // From here on the SDK asks the source in the background. The source decides whether to fetch.
        PreemptExpiryTime = TimeSpan.FromMinutes(10);
    }

    protected override async Task<CredentialsRefreshState> GenerateNewCredentialsAsync()
    {
        var credentials = (await _source.GetAsync(CancellationToken.None)).Credentials;
        return new CredentialsRefreshState(
            new ImmutableCredentials(credentials.AccessKeyId, credentials.SecretAccessKey, credentials.SessionToken),
            // The SDK compares it with this machine's clock.
            (credentials.Expiration - _source.ClockOffset).UtcDateTime);
    }

    protected override CredentialsRefreshState GenerateNewCredentials() => GenerateNewCredentialsAsync().GetAwaiter().GetResult();
}
