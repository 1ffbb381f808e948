using Sandbox;

namespace Testing;

/// <summary>Fails the run of a test assembly if a log, a span or a metric of any of its gateways had a secret that a test issued.</summary>
public sealed class SecretLeakCheck : IDisposable
{
    public SecretLeakCheck()
    {
        OpenIdProvider.Minted += IssuedSecrets.Add;
        AwsEmulator.Known += Add;
    }

    public void Dispose()
    {
        OpenIdProvider.Minted -= IssuedSecrets.Add;
        AwsEmulator.Known -= Add;
        var leaks = IssuedSecrets.Leaks;
        if (leaks.Count > 0) throw new InvalidOperationException($"{leaks.Count} leaks of a secret:\n{string.Join('\n', leaks.Distinct().Take(20))}");
    }

    private static void Add(AwsCredentials credentials)
    {
        IssuedSecrets.Add(credentials.SecretAccessKey);
        IssuedSecrets.Add(credentials.SessionToken ?? "");
    }
}
