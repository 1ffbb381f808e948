using Microsoft.AspNetCore.Http;

namespace IotCredentials.Http;

/// <summary>
/// Why a request was refused or failed, in a word for logs and metrics: a feature of the request. The words are few and never come from a request. Callers do not
/// see them.
/// </summary>
/// <param name="word">The word; empty if it is not known.</param>
public sealed class ErrorReason(string word)
{
    /// <summary>The word; empty if it is not known.</summary>
    public string Word => word;

    /// <summary>Sets the reason of a request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="word">The word.</param>
    public static void Set(HttpContext context, string word) => context.Features.Set(new ErrorReason(word));
}
