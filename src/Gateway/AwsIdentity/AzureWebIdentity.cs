using System.Xml;
using Amazon.Runtime;
using Amazon.SecurityToken;
using Amazon.SecurityToken.Model;
using Gateway.Telemetry;
using IotCredentials.Failures;
using Microsoft.IdentityModel.JsonWebTokens;

namespace Gateway.AwsIdentity;

/// <summary>
/// The gateway's AWS session that an Azure token opens (AssumeRoleWithWebIdentity). It is renewed in the background after three quarters of its lifetime, by
/// one renewal at a time, and is served until it expires.
/// </summary>
/// <param name="azure">The source of the token.</param>
/// <param name="audience">The audience of the token.</param>
/// <param name="roleArn">The role.</param>
/// <param name="sts">The configuration of STS's client.</param>
/// <param name="patience">The time that a caller waits for a session.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">The log.</param>
internal sealed partial class AzureWebIdentity(
    AzureToken azure, string audience, string roleArn, AmazonSecurityTokenServiceConfig sts, TimeSpan patience, TimeProvider time,
    ILogger<AzureWebIdentity> logger) : AWSCredentials
{
    private const string Call = "sts:AssumeRoleWithWebIdentity";

    // The part of a session's life after which it is renewed.
    private const double RenewedAtPart = 0.75;

    // A slow renewal may succeed after its callers have given up. One that hangs delays the next by this much.
    private static readonly TimeSpan s_longestAfterPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_pauseAfterFailure = TimeSpan.FromSeconds(10);

    // AWS may reject every session in one region, such as one that the account has not enabled, and accept them all in the others.
    private static readonly TimeSpan s_pauseBeforeReplacement = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private Session? _session;
    private Task<ImmutableCredentials>? _renewal;
    private long _begun;
    private TimeSpan _renewAfter;
    private bool _isRejected;
    private volatile string _waitsFor = azure.Name;
    private bool _isFailing;

    /// <inheritdoc/>
    public override ImmutableCredentials GetCredentials() => GetCredentialsAsync().GetAwaiter().GetResult();

    /// <inheritdoc/>
    public override async Task<ImmutableCredentials> GetCredentialsAsync()
    {
        ImmutableCredentials? current;
        Task<ImmutableCredentials> renewal;
        lock (_lock)
        {
            current = _session is { } session && time.GetUtcNow() < session.Expires ? session.Credentials : null;
            if (current is not null && !_isRejected && time.GetElapsedTime(_begun) < _renewAfter) return current;
            renewal = Renewal();
            if (current is not null && !_isRejected) return current;
        }

        try
        {
            return await renewal.WaitAsync(patience, time);
        }
        catch (Exception) when (current is not null)
        {
            lock (_lock) _isRejected = false;
            return current;
        }
        catch (TimeoutException)
        {
            throw Failed($"no response from {_waitsFor} in {patience.TotalSeconds:0.#} s");
        }
    }

    /// <summary>
    /// AWS has rejected the session: the next caller gets another, or the same if there is none. A rejection within a minute of the last renewal has no effect,
    /// because another session would mend nothing.
    /// </summary>
    public void Clear()
    {
        lock (_lock) _isRejected |= time.GetElapsedTime(_begun) >= s_pauseBeforeReplacement;
    }

    private Task<ImmutableCredentials> Renewal()
    {
        if (_renewal is { IsCompleted: false }) return _renewal;
        _begun = time.GetTimestamp();
        _renewal = Task.Run(RenewAsync);
        // All waiters may have left by the time it fails.
        _ = _renewal.ContinueWith(static failed => failed.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        return _renewal;
    }

    private async Task<ImmutableCredentials> RenewAsync()
    {
        try
        {
            using var deadline = new CancellationTokenSource(patience + s_longestAfterPatience, time);
            _waitsFor = azure.Name;
            var token = await GetTokenAsync(deadline.Token);
            _waitsFor = Call;
            var session = await OpenAsync(token, deadline.Token);
            lock (_lock)
            {
                _session = session;
                _renewAfter = time.GetElapsedTime(_begun) + ((session.Expires - time.GetUtcNow()) * RenewedAtPart);
                _isRejected = false;
                if (_isFailing) Log.Renewed(logger);
                _isFailing = false;
            }

            return session.Credentials;
        }
        catch (Exception e)
        {
            var failure = e as VendingException ?? Failed(FailureText.Kinds(e));
            azure.Reset();
            lock (_lock)
            {
                _renewAfter = s_pauseAfterFailure;
                _isRejected = false;
                // Without a session the module logs the failure.
                if (!_isFailing && _session is { } session && session.Expires > time.GetUtcNow())
                {
                    _isFailing = true;
                    Log.NotRenewed(logger, failure.Message, session.Expires);
                }
            }

            throw failure;
        }
    }

    private async Task<string> GetTokenAsync(CancellationToken cancellation)
    {
        try
        {
            return await azure.GetAsync(audience, cancellation);
        }
        catch (Exception e)
        {
            throw Failed($"{azure.Name} gives no token of {audience}: {azure.CauseOf(e)}");
        }
    }

    private async Task<Session> OpenAsync(string token, CancellationToken cancellation)
    {
        try
        {
            using var client = new AmazonSecurityTokenServiceClient(new AnonymousAWSCredentials(), sts);
            var response = await client.AssumeRoleWithWebIdentityAsync(
                new AssumeRoleWithWebIdentityRequest { RoleArn = roleArn, RoleSessionName = SessionName(), WebIdentityToken = token }, cancellation);
            var opened = response.Credentials;
            return opened is { AccessKeyId: not null, SecretAccessKey: not null, SessionToken: not null, Expiration: { } expiration }
                ? new(new ImmutableCredentials(opened.AccessKeyId, opened.SecretAccessKey, opened.SessionToken), expiration.ToUniversalTime())
                : throw Failed($"the response of {Call} holds no credentials");
        }
        catch (Exception e) when (e is not VendingException)
        {
            throw Failed($"{Call} with the token of {azure.Name}: {CauseOf(e, token)}");
        }
    }

    private static string CauseOf(Exception error, string token)
    {
        if (error is AmazonUnmarshallingException or XmlException) return "the response is not one of AWS's";
        if (error is not AmazonServiceException { StatusCode: not 0 } refused) return FailureText.Of(error);
        var status = (int)refused.StatusCode;
        return FailureText.Code(refused.ErrorCode) is not { } code
            ? $"{status}, and the response is not one of AWS's"
            : $"{status} {code}" + code switch
            {
                "InvalidIdentityToken" => $": the role's account needs an OpenID provider of the token's issuer and audience; {ClaimsOf(token)}",
                "AccessDenied" => $": the role's trust policy does not let the token in: compare its conditions on aud and sub; {ClaimsOf(token)}",
                "ExpiredTokenException" => ": the token has expired: look at the clock of this machine",
                "IDPCommunicationError" => ": AWS cannot reach the token's issuer now",
                _ => "",
            };
    }

    // The claims that IAM compares. None is a secret.
    private static string ClaimsOf(string token)
    {
        try
        {
            var read = new JsonWebToken(token);
            var (issuer, audiences, subject) = (read.Issuer, string.Join(' ', read.Audiences), read.Subject);
            var claims = $"it has iss {TokenText.Quote(issuer)}, aud {TokenText.Quote(audiences)}, sub {TokenText.Quote(subject)}";
            return read.Azp is { Length: > 0 } azp ? $"{claims}, azp {TokenText.Quote(azp)}, which AWS compares in place of aud" : claims;
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            return "it is no JSON web token";
        }
    }

    // STS: 2 to 64 characters of A-Z a-z 0-9 and +=,.@_-.
    private static string SessionName()
    {
        var name = $"iot-gateway-{new string([.. Environment.MachineName.Where(static one => char.IsAsciiLetterOrDigit(one) || one is '.' or '-' or '_')])}";
        return name.Length <= 64 ? name : name[..64];
    }

    private static VendingException Failed(string cause) => new(FailureClass.Credentials, cause);

    private sealed record Session(ImmutableCredentials Credentials, DateTimeOffset Expires);

    private static partial class Log
    {
        [LoggerMessage(EventIds.AwsIdentityNotRenewed, LogLevel.Warning,
            "The gateway's AWS session could not be renewed: {Cause}. It is used until {Expires:u}, and renewal is tried again every 10 seconds",
            EventName = nameof(EventIds.AwsIdentityNotRenewed))]
        public static partial void NotRenewed(ILogger logger, string cause, DateTimeOffset expires);

        [LoggerMessage(EventIds.AwsIdentityRenewed, LogLevel.Information, "The gateway's AWS session was renewed again",
            EventName = nameof(EventIds.AwsIdentityRenewed))]
        public static partial void Renewed(ILogger logger);
    }
}
