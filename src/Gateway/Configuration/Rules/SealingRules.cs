using IotCredentials.Caching;
using IotCredentials.Failures;
using IotCredentials.Redis;

namespace Gateway.Configuration.Rules;

/// <summary>Checks that everything in Redis is sealed with a key that exists. No finding shows any part of a key or a connection string.</summary>
internal static class SealingRules
{
    private const string Redis = "ConnectionStrings:Redis";
    private const string KeyPath = "Sealing:KeyPath";

    /// <summary>
    /// The Redis connection string is valid. With Redis, Sealing:KeyPath is required. It names a readable file with base64 256-bit keys, one per
    /// line, and is not a key itself.
    /// </summary>
    public static void Check(RuleContext context)
    {
        var redis = context.Options.ConnectionStrings.Redis;
        if (redis is not null && RedisConnectionString.ProblemOf(redis) is { } problem) context.Error(Redis, problem);
        else if (redis is not null) WarnOfOptions(context, redis);

        if (context.Options.Sealing.KeyPath is { Length: > 0 } path) CheckFile(context, path);
        else if (redis is not null)
            context.Error(KeyPath,
                "is required with ConnectionStrings:Redis: nothing is kept there unsealed. "
                + "Name a file with one base64 256-bit key a line.",
                because: Redis);
    }

    private static void WarnOfOptions(RuleContext context, string connectionString)
    {
        foreach (var (name, reason) in RedisConnectionString.IneffectiveOptionsOf(connectionString))
            context.Warning(Redis, $"has the option {name}, which has no effect here: {reason}.");
    }

    private static void CheckFile(RuleContext context, string path)
    {
        if (IsKey(path))
        {
            context.Error(KeyPath,
                "is a key itself, and everybody who can read the configuration knows it now. Make another one, and name the file that holds it.");
            return;
        }

        var content = FileContent.Read(Path.Combine(context.Snapshot.Folder, path), out var problem);
        if (content is null)
        {
            context.Error(KeyPath, $"names the file {Finding.Quote(path)}, which {problem} Name a file with one base64 256-bit key a line.");
            return;
        }

        var lines = ByteOrderMark.Text(content).Split('\n', StringSplitOptions.TrimEntries);
        for (var index = 0; index < lines.Length; index++)
            if (lines[index].Length > 0 && !SealingKeys.IsKey(lines[index]))
                context.Error(KeyPath,
                    $"names a file whose line {index + 1} is no key. "
                    + "Write 32 random bytes in base64, for example from \"openssl rand -base64 32\".");
        if (lines.All(line => line.Length == 0))
            context.Error(KeyPath,
                "names a file without a key. Write 32 random bytes in base64 on a line, for example from \"openssl rand -base64 32\".");
    }

    // Whether a text is a key in any form in which it may have been copied: base64 in either alphabet, with or without padding, or hexadecimal; in
    // quotes, groups or lines.
    private static bool IsKey(string text)
    {
        var digits = string.Concat(text.Where(character => char.IsAsciiLetterOrDigit(character) || character is '+' or '/' or '-' or '_'))
            .Replace('-', '+')
            .Replace('_', '/');
        var isText = text.All(character =>
            char.IsAsciiLetterOrDigit(character) || char.IsWhiteSpace(character) || "+/-_=\"'`,:\\".Contains(character, StringComparison.Ordinal));
        return isText && (SealingKeys.IsKey(digits + "=") || (text.Count(char.IsAsciiHexDigit) == 64 && SecretText.Hide(text) != text));
    }
}
