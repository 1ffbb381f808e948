using Amazon.Runtime;

namespace IotClient;

/// <summary>
/// The gateway's credentials for any client of the AWS SDK. The SDK would keep them by this machine's clock, which may be set while the program runs. So each
/// second, they are taken from it if the source would return others, or refresh.
/// </summary>
internal sealed class GatewayCredentials : RefreshingAWSCredentials
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    private readonly CredentialSource _source;
    private readonly ITimer _timer;
    private volatile Credentials? _given;

    public GatewayCredentials(CredentialSource source, TimeProvider time)
    {
        _source = source;
        _timer = time.CreateTimer(_ => TakeBack(), null, s_interval, s_interval);
    }

    protected override CredentialsRefreshState GenerateNewCredentials() => GenerateNewCredentialsAsync().GetAwaiter().GetResult();

    protected override async Task<CredentialsRefreshState> GenerateNewCredentialsAsync()
    {
        var credentials = (await _source.GetAsync(CancellationToken.None)).Credentials;
        _given = credentials;
        var remaining = credentials.Expiration - _source.Now;
        return new(new ImmutableCredentials(credentials.AccessKeyId, credentials.SecretAccessKey, credentials.SessionToken), DateTime.UtcNow + remaining);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _timer.Dispose();
        base.Dispose(disposing);
    }

    private void TakeBack()
    {
        if (_given is { } given && !_source.IsCurrent(given)) ClearCredentials();
    }
}
