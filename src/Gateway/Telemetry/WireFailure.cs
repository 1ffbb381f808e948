using CredentialModule.Telemetry;

namespace Gateway.Telemetry;

/// <summary>
/// An exception by which a library reports what a client or a service did on the wire. Its stack says nothing of a fault here, is fifty lines long for each
/// malformed request, and its message can quote what was sent: its kind is all that is logged.
/// </summary>
internal static class WireFailure
{
    private static readonly string[] s_libraries = ["Microsoft.AspNetCore.", "Yarp.", "System.Net."];

    /// <summary>The kinds of the exception and of its causes; null when the log is to have it whole.</summary>
    public static string? KindOf(string category, Exception error)
    {
        if (!Array.Exists(s_libraries, library => category.StartsWith(library, StringComparison.Ordinal))) return null;
        for (var cause = error; cause is not null; cause = cause.InnerException)
        {
            if (FailureText.WireKindOf(cause) is null) return null;
        }

        return FailureText.Kinds(error);
    }
}
