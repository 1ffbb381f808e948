namespace Sandbox;

/// <summary>A request as <see cref="OrganizationService"/> received it.</summary>
/// <param name="Method">The method.</param>
/// <param name="Target">Path and query, byte for byte as in the request line.</param>
/// <param name="Headers">Every header with its values in order. Names are compared ignoring case.</param>
/// <param name="BodyLength">The number of bytes in the body.</param>
public sealed record ReceivedRequest(
    string Method, string Target, IReadOnlyDictionary<string, IReadOnlyList<string>> Headers, long BodyLength);
