using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Authentication;
using IotCredentials.Failures;

namespace Gateway.Commands;

/// <summary><c>api-key</c>: makes an API key, and hashes one of another make. It reads no configuration and writes no file.</summary>
internal static class ApiKeyCommand
{
    private const string Name = "--name";
    private const string Organization = "--organization";
    private const string Role = "--role";
    private const string Scope = "--scope";
    private const string Expires = "--expires";

    private static readonly string[] s_times = ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:sszzz"];

    // An organization id or a scope is easier to read as it was written.
    private static readonly JsonSerializerOptions s_plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create() => new("api-key", "Makes an API key, or hashes one.") { CreateKey(), HashKey() };

    private static Command CreateKey()
    {
        var name = new Option<string>(Name) { Description = "The name of the key's caller.", HelpName = "NAME", Required = true };
        name.Validators.Add(static given =>
        {
            if (given.GetValueOrDefault<string>() is not { } text) return;
            if (text.Length == 0 || text.Contains(':', StringComparison.Ordinal) || text.Any(char.IsControl))
                given.AddError("--name is one name: not empty, on one line, and without \":\"");
            else if (SecretText.Hide(text) != text) given.AddError("--name looks like a key; write a name, such as ci-robot");
        });
        var expires = new Option<string>(Expires)
        {
            Description = "When the key ends: 2027-01-01, which is midnight UTC, or 2027-01-01T00:00:00Z. Default: never.",
            HelpName = "DATE",
        };
        expires.Validators.Add(static given =>
        {
            if (given.GetValueOrDefault<string>() is { } text && TimeOf(text) is null)
                given.AddError("--expires is no date such as 2027-01-01 or 2027-01-01T00:00:00Z");
            else if (given.GetValueOrDefault<string>() is { } date && TimeOf(date) <= TimeProvider.System.GetUtcNow())
                given.AddError("--expires is in the past: the key would never work");
        });
        var organizations = List(Organization, "An organization of the caller.", "ID");
        organizations.Validators.Add(static given =>
        {
            if (given.Tokens.Any(static token => !token.Value.All(static character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_')))
                given.AddError("--organization is no organization id: letters, digits, - and _");
        });
        var command = new Command("create", "Prints a new key, once, and the entry for Authentication:ApiKeys:Keys.")
        {
            name,
            organizations,
            List(Role, "A role of the caller.", "ROLE"),
            List(Scope, "A scope of the caller.", "SCOPE"),
            expires,
        };
        command.SetAction(static parsed =>
        {
            if (HasUnknown(parsed)) return ExitCode.Failed;
            var key = ApiKeyText.Create();
            var entry = new JsonObject { ["Sha256"] = ApiKeyText.Sha256Of(key) };
            foreach (var (option, member) in new[] { (Organization, "Organizations"), (Role, "Roles"), (Scope, "Scopes") })
                if (parsed.GetValue<string[]>(option) is [_, ..] values)
                    entry[member] = new JsonArray([.. values.Select(static value => JsonValue.Create(value))]);
            if (parsed.GetValue<string>(Expires) is { } text)
                entry["Expires"] = TimeOf(text)!.Value.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
            var output = parsed.InvocationConfiguration.Output;
            output.WriteLine("The key. It is shown this once, and kept nowhere: hand it to its user.");
            output.WriteLine(key);
            output.WriteLine();
            output.WriteLine("Its entry, for Authentication:ApiKeys:Keys in appsettings.json:");
            output.WriteLine($"{JsonSerializer.Serialize(parsed.GetRequiredValue<string>(Name), s_plain)}: {entry.ToJsonString(s_plain)}");
            return ExitCode.Good;
        });
        return command;
    }

    private static Command HashKey()
    {
        var command = new Command("hash", "Reads a key of another make from standard input, and prints its Sha256.");
        command.SetAction(static parsed =>
        {
            if (HasUnknown(parsed)) return ExitCode.Failed;
            var text = Read(out var isTooLong);
            if (!isTooLong && ApiKeyText.IsWellFormed(text))
            {
                parsed.InvocationConfiguration.Output.WriteLine(ApiKeyText.Sha256Of(text));
                return ExitCode.Good;
            }

            parsed.InvocationConfiguration.Error.WriteLine(
                text.Length == 0 ? "error: standard input holds no key"
                : isTooLong ? $"error: standard input holds more than a key, which has {ApiKeyText.Longest} characters at most"
                : ApiKeyText.IsOwn(text) ? $"error: the key begins with {ApiKeyText.Prefix}, and its checksum is wrong: it is not whole, or mistyped"
                : "error: standard input holds a space, or a character that is no visible ASCII: no header would carry it as it is");
            return ExitCode.Failed;
        });
        return command;
    }

    // The other commands take any configuration key. These take none, and a misspelt option would make a key with less than was meant.
    private static bool HasUnknown(ParseResult parsed)
    {
        if (parsed.UnmatchedTokens is not [var unknown, ..]) return false;
        parsed.InvocationConfiguration.Error.WriteLine($"error: {Finding.Quote(unknown)} is not an option of this command");
        return true;
    }

    // The line end belongs to the terminal or the file, not to the key.
    private static string Read(out bool isTooLong)
    {
        var buffer = new char[ApiKeyText.Longest + 3];
        var text = new string(buffer, 0, Console.In.ReadBlock(buffer));
        text = text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2] : text.EndsWith('\n') ? text[..^1] : text;
        // Some editors put a byte order mark before it.
        text = text.TrimStart('\uFEFF');
        isTooLong = text.Length > ApiKeyText.Longest;
        return text;
    }

    private static Option<string[]> List(string name, string description, string help) =>
        new(name) { Description = description + " May be given more than once.", HelpName = help };

    private static DateTimeOffset? TimeOf(string text) =>
        DateTimeOffset.TryParseExact(text, s_times, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
}
