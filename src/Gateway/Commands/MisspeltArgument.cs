using System.CommandLine;
using System.CommandLine.Parsing;
using Gateway.Configuration.Schema;
using Gateway.Configuration.Tree;
using IotCredentials.Failures;

namespace Gateway.Commands;

/// <summary>
/// Finds a command or an option that is probably misspelt. It would be taken for a configuration key, and a command with a misspelt <c>--config</c> would
/// report on another folder.
/// </summary>
internal static class MisspeltArgument
{
    /// <summary>The problem, or null if there is none. The values of keys and options may be secrets, and are not in it.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="first">Its first argument, or null if it has none.</param>
    public static string? ProblemOf(ParseResult parsed, string? first)
    {
        var called = parsed.CommandResult;
        if (called.Command is RootCommand && first is not null && IsWord(first))
            return NearestName.Of(first, called.Command.Subcommands.Select(static command => command.Name)) is { } command
                ? $"{first} is not a command. Did you mean \"{command}\"?"
                : null;

        string[] options = [.. OptionsOf(called).Select(static option => option.Name.TrimStart('-'))];
        for (var index = 0; index < parsed.UnmatchedTokens.Count; index++)
        {
            var token = parsed.UnmatchedTokens[index];
            if (!token.StartsWith('-')) continue;
            var shown = token.Split('=')[0];
            var name = shown.TrimStart('-');
            // The next is its value.
            if (!token.Contains('=', StringComparison.Ordinal)) index++;
            if (IsWord(name) && !(shown == $"--{name}" && IsKey(name)) && NearestName.Of(name, options) is { } option)
                return $"{shown} is not an option{(called.Command is RootCommand ? "" : $" of {called.Command.Name}")}. Did you mean \"--{option}\"?";
        }

        return null;
    }

    private static bool IsKey(string name) => RootSchema.Value.Members.ContainsKey(name) || KeyPath.Equal(name, ConfigurationArguments.Config.TrimStart('-'));

    private static bool IsWord(string text) => text.Length > 1 && text.All(static letter => char.IsAsciiLetter(letter) || letter == '-') && text[0] != '-';

    private static IEnumerable<Option> OptionsOf(CommandResult called)
    {
        IEnumerable<Option> options = called.Command.Options;
        for (var above = called.Parent as CommandResult; above is not null; above = above.Parent as CommandResult)
            options = options.Concat(above.Command.Options.Where(static option => option.Recursive));
        return options;
    }
}
