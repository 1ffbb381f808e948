using Sandbox;

namespace Testing;

/// <summary>For a whole test assembly: fails its run when a log, a span or a metric of any gateway in it told a secret that any test issued.</summary>
public sealed class NoSecretIsTold : IDisposable
{
    public NoSecretIsTold()
    {
        OpenIdProvider.Minted += IssuedSecrets.Add;
        AwsEmulator.Known += Add;
    }

    public void Dispose()
    {
        OpenIdProvider.Minted -= IssuedSecrets.Add;
        AwsEmulator.Known -= Add;
        if (IssuedSecrets.Told.Count > 0)
            throw new InvalidOperationException(
                $"{IssuedSecrets.Told.Count} times a secret was told:\n{string.Join('\n', IssuedSecrets.Told.Distinct().Take(20))}");
    }

    private static void Add(AwsCredentials credentials)
    {
        IssuedSecrets.Add(credentials.SecretAccessKey);
        IssuedSecrets.Add(credentials.SessionToken ?? "");
    }
}
