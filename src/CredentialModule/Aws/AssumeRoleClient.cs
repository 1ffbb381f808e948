using Amazon.Runtime;
using Amazon.SecurityToken.Model;
using IotCredentials.Caching;
using IotCredentials.Failures;
using IotCredentials.Profiles;
using IotCredentials.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace IotCredentials.Aws;

/// <summary>Calls AssumeRole for vending: it sends the parameters unchanged, requires a complete response, and classifies failures.</summary>
internal sealed class AssumeRoleClient(
    AwsClients clients, OwnCredentials own, StsRateLimiter limiter, StsCircuitBreaker circuit, TimeProvider time, CredentialMetrics metrics,
    IOptions<IotCredentialsOptions> options, ILogger<AssumeRoleClient> logger)
{
    private const string Call = "sts:AssumeRole";

    // AWS names no longest length. Its tokens have had up to about 4 KB.
    private const int LongestToken = 16 * 1024;

    // Allows only DescribeEndpoint, whatever the role itself may do.
    private const string EndpointPolicy = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:DescribeEndpoint","Resource":"*"}]}""";

    /// <param name="request">The parameters.</param>
    /// <param name="call">The call's name in <see cref="StsRateLimiter"/>.</param>
    /// <exception cref="OperationCanceledException">No caller waits for the call any more.</exception>
    public async Task<CachedCredentials> AssumeRoleAsync(AssumeRoleParameters request, string call)
    {
        own.ThrowIfRefused(request.Region, Call);
        using var permit = await limiter.AcquireAsync(call);
        var issuedAt = time.GetUtcNow();
        var granted = await circuit.CallAsync(request.Region, () => CallAsync(request.Region, RequestOf(request)));
        var expiration = new DateTimeOffset(granted.Expiration!.Value.ToUniversalTime(), TimeSpan.Zero);
        return new CachedCredentials(request.OrganizationId, issuedAt, expiration, granted.AccessKeyId, granted.SecretAccessKey, granted.SessionToken);
    }

    /// <summary>The request that is sent to STS.</summary>
    public static AssumeRoleRequest RequestOf(AssumeRoleParameters request) => new()
    {
        RoleArn = request.RoleArn,
        RoleSessionName = request.SessionName,
        SourceIdentity = request.SourceIdentity,
        DurationSeconds = (int)request.SessionDuration.TotalSeconds,
        ExternalId = request.ExternalId,
        Policy = request.SessionPolicy,
        Tags = [.. request.SessionTags.Select(tag => new Tag { Key = tag.Key, Value = tag.Value })],
    };

    /// <summary>Opens a session of the role that requests a profile's endpoint.</summary>
    public async Task<AWSCredentials> AssumeEndpointRoleAsync(Profile profile, CancellationToken cancellation)
    {
        var (role, region) = (profile.EndpointRoleArn!, profile.Region);
        own.ThrowIfRefused(region, Call);
        var request = new AssumeRoleRequest
        {
            RoleArn = role,
            RoleSessionName = "iot-endpoint",
            DurationSeconds = (int)StsLimits.ShortestSession.TotalSeconds,
            Policy = EndpointPolicy,
            ExternalId = profile.EndpointExternalId,
        };
        // The call has its own place in the queue, because every organization of the region waits for it.
        var call = $"{role} {region}";
        using var waiter = limiter.Join(call, new FairnessKey("", ""));
        using var leaving = cancellation.UnsafeRegister(static waiter => ((IDisposable)waiter!).Dispose(), waiter);
        using var permit = await limiter.AcquireAsync(call);
        var granted = await circuit.CallAsync(region, () => CallAsync(region, request));
        return new SessionAWSCredentials(granted.AccessKeyId, granted.SecretAccessKey, granted.SessionToken);
    }

    private async Task<Credentials> CallAsync(string region, AssumeRoleRequest request)
    {
        // The call's timeout starts here, so that a call that waited long for its permit is not cancelled right after it was sent. A result that comes too late
        // for its waiters is cached for the next request.
        using var deadline = new CancellationTokenSource(options.Value.CallTimeout);
        var begun = time.GetTimestamp();
        try
        {
            var granted = await own.UseAsync(
                region, Call, clients.StsUrl(region), credentials => SendAsync(region, credentials, request, deadline.Token), deadline.Token);
            metrics.Called("AssumeRole", time.GetElapsedTime(begun), failure: null);
            return granted;
        }
        catch (VendingException failure)
        {
            metrics.Called("AssumeRole", time.GetElapsedTime(begun), failure.Failure);
            if (failure.Failure != FailureClass.Credentials) Log.AssumeRoleFailed(logger, request.RoleArn, failure.Failure, failure.Message);
            throw;
        }
    }

    private async Task<Credentials> SendAsync(string region, AWSCredentials credentials, AssumeRoleRequest request, CancellationToken cancellation)
    {
        using var sts = clients.Sts(region, credentials);
        var response = await sts.AssumeRoleAsync(request, cancellation);
        if (response.Credentials is not { Expiration: not null } granted || !IsText(granted.AccessKeyId) || !IsText(granted.SecretAccessKey)
            || !IsText(granted.SessionToken))
            throw new VendingException(FailureClass.Unavailable, "the response of sts:AssumeRole holds no credentials");
        if (granted.SessionToken.Length > LongestToken)
            throw new VendingException(FailureClass.Unavailable, $"the response of sts:AssumeRole holds a session token of over {LongestToken / 1024} KiB");
#pragma warning disable CS0618 // Its successor, SessionTokenUtilization, is not returned everywhere yet.
        if (response.PackedPolicySize is { } packed) metrics.PackedPolicySize(packed);
#pragma warning restore CS0618
        return granted;
    }

    private static bool IsText(string? value) => value is { Length: > 0 } && !value.AsSpan().ContainsAnyExceptInRange('!', '~');
}
