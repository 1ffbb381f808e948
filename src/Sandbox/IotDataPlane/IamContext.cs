namespace Sandbox.IotDataPlane;

/// <summary>The values of the condition keys and policy variables that the emulator knows.</summary>
/// <param name="ClientId">The MQTT client id; null for a request over HTTP.</param>
/// <param name="SourceIp">The client's address.</param>
/// <param name="Tags">The session's tags.</param>
internal sealed record IamContext(string? ClientId, string SourceIp, IReadOnlyDictionary<string, string> Tags)
{
    private const string PrincipalTag = "aws:PrincipalTag/";

    /// <summary>Whether the emulator knows the value of a key, or that AWS has none for it.</summary>
    public static bool IsKnown(string key) =>
        key.StartsWith(PrincipalTag, StringComparison.OrdinalIgnoreCase) || key.ToLowerInvariant() is "iot:clientid" or "aws:sourceip" or "aws:securetransport";

    /// <summary>The value of a key, whose name is compared ignoring case; null if there is none.</summary>
    public string? Value(string key) => key.ToLowerInvariant() switch
    {
        "iot:clientid" => ClientId,
        "aws:sourceip" => SourceIp,
        // The emulator stands for an endpoint with TLS, which AWS's always has.
        "aws:securetransport" => "true",
        _ when key.StartsWith(PrincipalTag, StringComparison.OrdinalIgnoreCase) => Tags.GetValueOrDefault(key[PrincipalTag.Length..]),
        _ => null,
    };

    /// <summary>The value of a policy variable; null if there is none.</summary>
    public string? Variable(string name) => name is "*" or "?" or "$" ? name : Value(name);
}
