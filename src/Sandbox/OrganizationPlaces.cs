using System.Collections.Concurrent;

namespace Sandbox;

/// <summary>
/// The directory of <see cref="OrganizationService"/>: three organizations in two accounts and two regions, of which a test can move each, or respond itself.
/// </summary>
public sealed class OrganizationPlaces
{
    private readonly ConcurrentDictionary<string, (string Account, string Region, string? Endpoint)> _places = new(StringComparer.Ordinal)
    {
        ["o-acme"] = ("111122223333", "ap-northeast-1", AwsEmulator.IotEndpoint("111122223333", "ap-northeast-1")),
        ["o-globex"] = ("444455556666", "ap-northeast-1", AwsEmulator.IotEndpoint("444455556666", "ap-northeast-1")),
        ["o-initech"] = ("444455556666", "eu-west-1", AwsEmulator.IotEndpoint("444455556666", "eu-west-1")),
    };

    /// <summary>The organizations that were asked for, each recorded before its response.</summary>
    public CallLog<string> Calls { get; } = new();

    /// <summary>Responds in the directory's place, unless it is null. Its token is cancelled when the caller disconnects or the service stops.</summary>
    public Func<HttpContext, CancellationToken, Task>? Response { get; set; }

    /// <summary>Adds an organization, or moves it.</summary>
    /// <param name="organization">Its id.</param>
    /// <param name="account">The account it lives in.</param>
    /// <param name="region">The region it lives in.</param>
    /// <param name="namesEndpoint">Whether the directory names the account's AWS IoT endpoint.</param>
    public void Move(string organization, string account, string region, bool namesEndpoint = true) =>
        _places[organization] = (account, region, namesEndpoint ? AwsEmulator.IotEndpoint(account, region) : null);

    internal async Task RespondAsync(HttpContext context, string organization, CancellationToken cancellationToken)
    {
        Calls.Add(organization);
        if (Response is { } response)
        {
            await response(context, cancellationToken);
            return;
        }

        if (!_places.TryGetValue(organization, out var place))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        var data = new { id = organization, name = "An organization", awsAccountId = place.Account, awsRegion = place.Region, iotEndpoint = place.Endpoint };
        await context.Response.WriteAsJsonAsync(new { data }, cancellationToken);
    }
}
