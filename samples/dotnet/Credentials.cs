namespace IotClient;

/// <summary>The gateway's response.</summary>
internal sealed record CredentialResponse(EndpointAndCredentials Data);

internal sealed record EndpointAndCredentials(string AwsRegion, string IotEndpoint, Credentials Credentials);

internal sealed record Credentials(string AccessKeyId, string SecretAccessKey, string SessionToken, DateTimeOffset Expiration)
{
    // A record prints its members. These belong in no log.
    public override string ToString() => AccessKeyId;
}

internal sealed record ErrorResponse(string Error, string Message);

/// <summary>The request cannot succeed until someone changes something: a token, a membership, this program.</summary>
internal sealed class StoppedException(string message) : Exception(message);
