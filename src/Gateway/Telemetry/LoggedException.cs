using System.Text;
using IotCredentials.Failures;

namespace Gateway.Telemetry;

/// <summary>
/// An exception as it is logged: types and stacks. If the message can contain a peer's data, it is left out. In the message of any other exception, such as a
/// fault of this program, possible secrets are hidden.
/// </summary>
internal sealed class LoggedException(Exception error) : Exception
{
    private const int LongestText = 500;

    private static readonly string[] s_quoting =
        ["Amazon.", "StackExchange.", "Microsoft.IdentityModel.", "System.Net.", "System.IO.", "System.Text.Json."];

    public override string ToString()
    {
        var text = new StringBuilder();
        for (var cause = error; cause is not null; cause = cause.InnerException)
        {
            if (text.Length > 0) text.AppendLine().Append(" ---> ");
            text.Append(TextOf(cause));
            if (cause.StackTrace is { } stack) text.AppendLine().Append(stack);
        }

        return text.ToString();
    }

    private static string TextOf(Exception error)
    {
        var type = error.GetType().FullName!;
        if (FailureText.WireKindOf(error) is { } kind) return $"{type}: {kind}";
        if (Array.Exists(s_quoting, library => type.StartsWith(library, StringComparison.Ordinal))) return type;
        var message = SecretText.HideInSentence(error.Message);
        return $"{type}: {(message.Length <= LongestText ? message : message[..LongestText] + "…")}";
    }
}
