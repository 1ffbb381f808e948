namespace Gateway.Authentication;

/// <summary>The request's token or key was refused. An anonymous route serves the request all the same.</summary>
/// <param name="Reason">The reason, in a word.</param>
internal sealed record RefusedToken(string Reason);
