using CredentialModule.Policies;

namespace Sandbox;

/// <summary>
/// The parameters of <c>/token</c>. OAuth lets a provider ignore one that it does not know; here a slip would silently mint another token than was
/// meant.
/// </summary>
internal static class TokenParameters
{
    private static readonly string[] s_several = ["organization", "audience", "role", "scope"];

    // The last three are what OAuth clients send; any client may have a token here.
    private static readonly string[] s_once = ["subject", "lifetime", "grant_type", "client_id", "client_secret"];

    /// <summary>What is wrong with the parameters, and what to write instead; null when nothing is.</summary>
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
