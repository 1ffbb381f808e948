using System.Diagnostics.CodeAnalysis;
using IotCredentials.Failures;

namespace Gateway.Commands.Explain;

/// <summary>
/// Reads the token or API key that is given to a command. On the command line, every user of the machine can read it in the process list and the shell keeps it
/// in its history. The documentation therefore shows a file or standard input.
/// </summary>
internal static class GivenToken
{
    public const string StandardInput = "-";

    // This is more than the headers of any request may hold.
    private const int Longest = 64 * 1024;

    /// <summary>Reads the token, or null when none was given. Returns false and the reason when it cannot be read.</summary>
    /// <param name="option">The option's name: <c>--token</c> or <c>--api-key</c>.</param>
    /// <param name="written">Its value.</param>
    /// <param name="file">The value of the option that names a file.</param>
    /// <param name="token">The token.</param>
    /// <param name="problem">Why it cannot be read.</param>
    public static bool TryRead(string option, string? written, string? file, out string? token, [NotNullWhen(false)] out string? problem)
    {
        (token, problem) = (null, null);
        var noun = option == ExplainCommand.Token ? "token" : "key";
        if (written is not null && file is not null)
        {
            problem = $"{option} and {option}-file are both given: write one of them";
            return false;
        }

        if (written is not StandardInput && file is null)
        {
            token = written is null ? null : Bare(written);
            return true;
        }

        if (!TryReadText($"{option}-file", file, noun, out var text, out problem)) return false;
        token = Bare(text);
        return true;
    }

    /// <summary>Reads a file, or standard input. Returns false and the reason if it cannot be read, is empty, or is too long.</summary>
    /// <param name="option">The option that names the file.</param>
    /// <param name="file">The file; null for standard input.</param>
    /// <param name="noun">What it holds.</param>
    /// <param name="text">The text, without blanks around it.</param>
    /// <param name="problem">Why it cannot be read.</param>
    public static bool TryReadText(
        string option, string? file, string noun, out string text, [NotNullWhen(false)] out string? problem)
    {
        text = "";
        try
        {
            // Standard input stays open: another option may name it, too.
            using var opened = file is null ? null : File.OpenText(file);
            var buffer = new char[Longest + 1];
            var length = (opened ?? Console.In).ReadBlock(buffer);
            text = new string(buffer, 0, length).Trim();
            problem = length > Longest ? $"holds more than a {noun}" : text.Length == 0 ? $"holds no {noun}" : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            problem = $"cannot be read: {SecretText.HideInSentence(e.Message)}";
        }

        if (problem is null) return true;
        (text, problem) = ("", $"{(file is null ? "standard input" : $"{option} {SecretText.Hide(file)}")} {problem}");
        return false;
    }

    // Accepts the token as it is copied from a request: the whole header, the header's value, or the token alone.
    private static string Bare(string text)
    {
        foreach (var prefix in (string[])["Authorization:", "Bearer "])
        {
            if (text.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)) text = text[prefix.Length..].Trim();
        }

        return text;
    }
}
