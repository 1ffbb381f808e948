using IotCredentials.Failures;

namespace Sandbox;

/// <summary>Checks the parameters of <c>/token</c>. OAuth lets a provider ignore unknown ones; here a typo would silently mint a different token.</summary>
internal static class TokenParameters
{
    private static readonly string[] s_several = ["organization", "audience", "role", "scope"];

    // OAuth clients send grant_type, client_id and client_secret; any client may get a token here.
    private static readonly string[] s_once = ["subject", "lifetime", "grant_type", "client_id", "client_secret", "opaque"];

    /// <summary>The error in the parameters, and a correction; null when there is none.</summary>
    public static string? Refusal(IQueryCollection query, IFormCollection form)
    {
        string[] known = [.. s_several, .. s_once];
        foreach (var name in query.Keys.Concat(form.Keys))
        {
            if (!known.Contains(name, StringComparer.Ordinal)) return $"{name} is no parameter of /token. {NearestName.Advice(name, known)}";
            if (s_once.Contains(name, StringComparer.Ordinal) && query[name].Count + form[name].Count > 1) return $"{name} is written more than once.";
        }

        return null;
    }
}
