using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Testing;
using Xunit;

namespace Gateway.Tests.Errors;

/// <summary>A fault of the gateway is logged with its stack, and a request that only its client can mend is not.</summary>
public sealed class LoggedFailureTests(LoggedFailureTests.Shared shared) : IClassFixture<LoggedFailureTests.Shared>
{
    [Fact]
    public async Task A_request_that_fits_two_routes_is_400_and_no_error_in_the_log()
    {
        var before = shared.Gateway.Log.Count(LogLevel.Error, "");

        var both = await RawHttp.SendAsync(shared.Gateway.Url, "/versioned", "GET", "X-Version: 1, 2");

        Assert.Equal(400, both.Status);
        ErrorResponseAssert.BodyMatches("BadRequest", both.Body);
        Assert.Equal(401, (await RawHttp.SendAsync(shared.Gateway.Url, "/versioned", "GET", "X-Version: 1")).Status);
        Assert.Equal(before, shared.Gateway.Log.Count(LogLevel.Error, ""));
    }

    [Fact]
    public async Task A_fault_after_a_routes_time_has_passed_is_logged()
    {
        Assert.Equal(500, (await shared.Gateway.SendAsync("/timed/1", shared.World.Token())).Status);

        await shared.Gateway.Log.WaitForAsync(LogLevel.Error, "a fault after the timeout");
    }

    public sealed class Shared : IAsyncLifetime
    {
        public World World { get; private set; } = null!;

        public RunningGateway Gateway { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            World = await World.StartAsync();
            Gateway = await World.StartGatewayAsync(
                settings => settings
                    .WithoutRedis()
                    .Route("one", "/versioned", """{ "Match": { "Headers": [{ "Name": "X-Version", "Values": ["1"] }] } }""")
                    .Route("two", "/versioned", """{ "Match": { "Headers": [{ "Name": "X-Version", "Values": ["2"] }] } }""")
                    .Route("timed", "/timed/{**rest}", """{ "Timeout": "00:00:00.1" }"""),
                services => services.AddSingleton<IAuthorizationHandler, FailsAfterTimeout>());
        }

        public ValueTask DisposeAsync() => World.DisposeAsync();
    }

    private sealed class FailsAfterTimeout : IAuthorizationHandler
    {
        public async Task HandleAsync(AuthorizationHandlerContext context)
        {
            if (context.Resource is not HttpContext { Request.Path: var path } http || !path.StartsWithSegments("/timed", StringComparison.Ordinal)) return;
            var passed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var registration = http.RequestAborted.Register(passed.SetResult);
            await passed.Task;
            throw new InvalidOperationException("a fault after the timeout");
        }
    }
}
