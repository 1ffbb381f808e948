namespace Gateway.Authentication;

/// <summary>Why a request's token could not be judged. The token is then neither valid nor refused.</summary>
/// <param name="Status">429 when the client's address is locked out; 503 when the issuer's keys cannot be read.</param>
/// <param name="RetryAfter">When to send the token again.</param>
internal sealed record UnjudgedToken(int Status, TimeSpan RetryAfter);
