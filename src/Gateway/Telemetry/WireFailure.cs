using IotCredentials.Failures;

namespace Gateway.Telemetry;

/// <summary>
/// An exception by which a library reports the behaviour of a client or a service on the wire. Only its kind is logged: its stack shows no fault here and is
/// fifty lines long for each malformed request, and its message can quote received data.
/// </summary>
internal static class WireFailure
{
    private static readonly string[] s_libraries = ["Microsoft.AspNetCore.", "Yarp.", "System.Net."];

    /// <summary>The kinds of the exception and of its causes; null when it is to be logged in full.</summary>
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
