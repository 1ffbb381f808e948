namespace Gateway.Authentication;

/// <summary>Why a request's token was not judged, and so is neither good nor refused.</summary>
/// <param name="Status">429 when its client's address is locked out; 503 when its issuer's keys cannot be read.</param>
/// <param name="RetryAfter">When it is worth sending it again.</param>
internal sealed record UnjudgedToken(int Status, TimeSpan RetryAfter);
