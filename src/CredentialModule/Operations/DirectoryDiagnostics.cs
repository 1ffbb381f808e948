using IotCredentials.Failures;
using IotCredentials.OrganizationDirectory;
using IotCredentials.Profiles;

namespace IotCredentials.Operations;

/// <summary>Says how the directory of organizations is, and checks it with the module's own client.</summary>
public sealed class DirectoryDiagnostics
{
    private readonly DirectoryClient _client;
    private readonly OrganizationLocator _locator;

    internal DirectoryDiagnostics(DirectoryClient client, OrganizationLocator locator) => (_client, _locator) = (client, locator);

    /// <summary>The outage of the directory; null while it can be asked, and if there is none.</summary>
    public PeerOutage? Outage => _locator.Outage;

    /// <summary>The check of the directory; none without a directory.</summary>
    /// <param name="profiles">The profiles.</param>
    /// <param name="organization">The organization to ask for. Null asks for one that hardly exists, as the gateway does to judge an outage.</param>
    public IReadOnlyList<DiagnosticCheck> ChecksOf(ProfileSet profiles, OrganizationId? organization)
    {
        if (_client.Options is null) return [];
        return [new($"directory {_client.ShownAddress}", IsNeeded: true, async (progress, cancellation) =>
        {
            progress.WaitsFor = "the directory does not respond";
            if (organization is null)
            {
                var status = (int)await _client.ProbeAsync(profiles.OrganizationIds.LongestId, cancellation);
                return $"it responds ({status} for an organization that should not exist); --organization shows whether it knows one that does";
            }

            return await _client.AskAsync(organization, cancellation) is { } place
                ? $"{organization} lives in the account {place.AccountId}, {place.Region}, endpoint {place.IotEndpoint ?? "not named"}"
                : throw new VendingException(FailureClass.Refused, $"it does not know {organization} (404), so that callers get 403");
        })];
    }
}
