using System.Collections.Concurrent;
using Microsoft.AspNetCore.Authentication;

namespace Gateway.Authentication;

/// <summary>The failure of a token that was refused before and was not checked again. Only the word of the reason is kept.</summary>
internal sealed class RepeatedRefusal : Exception
{
    private static readonly ConcurrentDictionary<string, AuthenticateResult> s_results = new(StringComparer.Ordinal);

    private RepeatedRefusal(string word) : base("it was refused before") => Word = word;

    public string Word { get; }

    /// <summary>The result of a reason. All tokens share it, so a cached refusal is small.</summary>
    public static AuthenticateResult Of(string word) => s_results.GetOrAdd(word, static word => AuthenticateResult.Fail(new RepeatedRefusal(word)));
}
