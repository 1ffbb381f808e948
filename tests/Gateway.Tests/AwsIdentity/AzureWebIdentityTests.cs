using System.Text.Json.Nodes;
using Amazon;
using Amazon.SecurityToken;
using Azure.Core;
using Gateway.AwsIdentity;
using IotCredentials.Failures;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.AwsIdentity;

/// <summary>When the AWS session of an Azure identity is renewed, by a clock that the test moves.</summary>
public sealed class AzureWebIdentityTests
{
    private const string Call = "AssumeRoleWithWebIdentity";
    private const string NotRenewed = "The gateway's AWS session could not be renewed: ";

    [Fact]
    public async Task Many_callers_share_one_exchange_and_it_is_repeated_behind_them_after_three_quarters_of_the_session()
    {
        await using var azure = await Session.StartAsync();

        var first = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(azure.Source.GetCredentialsAsync)));
        Assert.Single(first.Select(one => one.AccessKey).Distinct());
        Assert.Equal((1, 1), (azure.Tokens.Requests, azure.World.Aws.Count(Call)));

        azure.Time.Advance(TimeSpan.FromMinutes(44));
        Assert.Equal(first[0].AccessKey, (await azure.Source.GetCredentialsAsync()).AccessKey);
        Assert.Equal(1, azure.World.Aws.Count(Call));

        azure.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(first[0].AccessKey, (await azure.Source.GetCredentialsAsync()).AccessKey);
        await Eventually.IsTrueAsync(async () => (await azure.Source.GetCredentialsAsync()).AccessKey != first[0].AccessKey);
        Assert.Equal(2, azure.World.Aws.Count(Call));
    }

    [Fact]
    public async Task A_session_is_used_until_it_expires_while_its_renewal_fails_and_that_is_said_once()
    {
        await using var azure = await Session.StartAsync();
        var first = await azure.Source.GetCredentialsAsync();
        azure.Tokens.Failure = new InvalidOperationException("secret");

        for (var minute = 46; minute < 60; minute++)
        {
            azure.Time.SetUtcNow(azure.Begun.AddMinutes(minute));
            var requests = azure.Tokens.Requests;
            Assert.Equal(first.AccessKey, (await azure.Source.GetCredentialsAsync()).AccessKey);
            // The renewal of the minute before may still be ending.
            await Eventually.IsTrueAsync(async () =>
                (await azure.Source.GetCredentialsAsync()).AccessKey == first.AccessKey && azure.Tokens.Requests > requests);
        }

        await azure.Log.WaitForAsync(LogLevel.Warning, NotRenewed);
        azure.Time.SetUtcNow(azure.Begun.AddMinutes(61));
        var failure = await Assert.ThrowsAsync<VendingException>(azure.Source.GetCredentialsAsync);
        Assert.Equal((FailureClass.Credentials, $"a test's identity gives no token of {AzureEmulator.Audience}: InvalidOperationException"),
            (failure.Failure, failure.Message));
        Assert.Equal(1, azure.Log.Count(LogLevel.Warning, NotRenewed));

        azure.Tokens.Failure = null;
        Assert.NotEqual(first.AccessKey, (await azure.Source.GetCredentialsAsync()).AccessKey);
        Assert.Equal(1, azure.Log.Count(LogLevel.Information, "The gateway's AWS session was renewed again"));
    }

    [Fact]
    public async Task A_failure_that_nobody_expects_is_one_like_any_other()
    {
        await using var azure = await Session.StartAsync();
        azure.Tokens.Failure = new UnreadableException();
        var failure = await Assert.ThrowsAsync<VendingException>(azure.Source.GetCredentialsAsync);
        Assert.Equal((FailureClass.Credentials, nameof(NotSupportedException)), (failure.Failure, failure.Message));

        azure.Tokens.Failure = null;
        var first = await azure.Source.GetCredentialsAsync();
        azure.Tokens.Failure = new UnreadableException();
        azure.Time.Advance(TimeSpan.FromMinutes(46));
        Assert.Equal(first.AccessKey, (await azure.Source.GetCredentialsAsync()).AccessKey);
        await azure.Log.WaitForAsync(LogLevel.Warning, $"{NotRenewed}{nameof(NotSupportedException)}. ");

        var requests = azure.Tokens.Requests;
        azure.Time.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(first.AccessKey, (await azure.Source.GetCredentialsAsync()).AccessKey);
        Assert.Equal(requests, azure.Tokens.Requests);
    }

    [Fact]
    public async Task A_session_that_AWS_ends_early_is_replaced_for_the_caller_that_meets_it()
    {
        await using var azure = await Session.StartAsync();
        var gateway = await azure.StartGatewayAsync();
        Assert.True((await gateway.VendAsync("o-1")).Status == 200, gateway.Log.Text);

        azure.RevokeAfterAMinute();
        Assert.True((await gateway.VendAsync("o-2")).Status == 200, gateway.Log.Text);
        Assert.Equal(2, azure.World.Aws.Count(Call));

        // Without a token there is no other session, and what is cached is served.
        azure.RevokeAfterAMinute();
        azure.Tokens.Failure = new InvalidOperationException("secret");
        Assert.Equal(503, (await gateway.VendAsync("o-3")).Status);
        Assert.Equal(503, (await gateway.VendAsync("o-4")).Status);
        Assert.Equal(200, (await gateway.VendAsync("o-1")).Status);
        Assert.Equal(1, gateway.Log.Count(LogLevel.Error, ""));
        Assert.Equal(1, azure.Log.Count(LogLevel.Warning, $"{NotRenewed}a test's identity gives no token of {AzureEmulator.Audience}"));

        azure.Tokens.Failure = null;
        await Eventually.IsTrueAsync(
            async () =>
            {
                azure.Time.Advance(TimeSpan.FromSeconds(10));
                return (await gateway.VendAsync("o-3")).Status == 200;
            },
            () => gateway.Log.Text);
    }

    [Fact]
    public async Task A_region_that_rejects_every_session_costs_the_others_none_and_opens_one_a_minute_at_most()
    {
        await using var azure = await Session.StartAsync();
        var gateway = await azure.StartGatewayAsync(settings => settings.Set("IotCredentials:Organizations:o-there", """{ "Region": "eu-south-1" }"""));
        azure.World.Aws.Inject(AwsFault.Error("InvalidClientTokenId", 403), when: static call => call.Region == "eu-south-1");
        var vended = 0;

        await VendForMinutesAsync(5);
        Assert.InRange(azure.World.Aws.Count(Call), 1, 6);

        azure.Tokens.Failure = new InvalidOperationException("secret");
        var requests = azure.Tokens.Requests;
        await VendForMinutesAsync(5);
        Assert.True(azure.Tokens.Requests > requests);

        async Task VendForMinutesAsync(int minutes)
        {
            for (var end = azure.Time.GetUtcNow().AddMinutes(minutes); azure.Time.GetUtcNow() < end; azure.Time.Advance(TimeSpan.FromSeconds(5)))
            {
                Assert.Equal(503, (await gateway.VendAsync("o-there")).Status);
                Assert.True((await gateway.VendAsync($"o-{vended++}")).Status == 200, gateway.Log.Text);
            }
        }
    }

    /// <summary>A session with tokens of an issuer of its own.</summary>
    private sealed class Session : IAsyncDisposable
    {
        private readonly OpenIdProvider _entra;
        private readonly ILoggerFactory _logging;

        private Session(World world, OpenIdProvider entra, FakeTimeProvider time)
        {
            (World, _entra, Time, Begun) = (world, entra, time, time.GetUtcNow());
            _logging = LoggerFactory.Create(logging => logging.AddProvider(Log));
            Tokens = new TokenSource(entra);
            Source = new AzureWebIdentity(
                AzureToken.Of("a test's identity", Tokens), AzureEmulator.Audience, AzureEmulator.RoleArn,
                new AmazonSecurityTokenServiceConfig { RegionEndpoint = RegionEndpoint.APNortheast1, ServiceURL = world.Aws.Url },
                TimeSpan.FromMinutes(1), time, _logging.CreateLogger<AzureWebIdentity>());
        }

        public World World { get; }

        public FakeTimeProvider Time { get; }

        public DateTimeOffset Begun { get; }

        public LogLines Log { get; } = new();

        public TokenSource Tokens { get; }

        public AzureWebIdentity Source { get; }

        public static async Task<Session> StartAsync()
        {
            var time = new FakeTimeProvider(DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds()));
            var (world, entra) = (await World.StartAsync(time), await OpenIdProvider.StartAsync());
            world.Aws.AddIdentityProvider("111122223333", entra.Issuer, AzureEmulator.Audience);
            world.Aws.AddRole(new AwsRole(AzureEmulator.RoleArn, WebIdentitySubject: AzureEmulator.ObjectId));
            return new(world, entra, time);
        }

        /// <summary>Starts a gateway that signs with this session.</summary>
        public Task<RunningGateway> StartGatewayAsync(Action<JsonObject>? change = null) => World.StartGatewayAsync(
            settings =>
            {
                settings.WithoutRedis();
                change?.Invoke(settings);
            },
            services => services.Configure<AwsClientOptions>(aws =>
            {
                aws.Credentials = Source;
                aws.CredentialsRejected = Source.Clear;
            }));

        /// <summary>A session that is rejected earlier is not replaced.</summary>
        public void RevokeAfterAMinute()
        {
            Time.Advance(TimeSpan.FromMinutes(1));
            World.Aws.Revoke(World.Aws.Calls.Snapshot().Last(static call => call.Action == Call).Issued!);
        }

        public async ValueTask DisposeAsync()
        {
            await World.DisposeAsync();
            await _entra.DisposeAsync();
            _logging.Dispose();
        }
    }

    private sealed class UnreadableException : Exception
    {
        public override string Message => throw new NotSupportedException("secret");
    }

    private sealed class TokenSource(OpenIdProvider entra) : TokenCredential
    {
        private int _requests;

        public int Requests => Volatile.Read(ref _requests);

        public Exception? Failure { get; set; }

        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) => throw new NotSupportedException();

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _requests);
            if (Failure is { } failure) throw failure;
            var token = entra.Issue(new TokenRequest
            {
                Subject = AzureEmulator.ObjectId,
                Audiences = [AzureEmulator.Audience],
                // The test's clock stands still while the token's moves.
                NotBefore = TimeSpan.FromDays(-1),
                Expires = TimeSpan.FromDays(1),
            });
            return new(new AccessToken(token, DateTimeOffset.UtcNow.AddDays(1)));
        }
    }
}
