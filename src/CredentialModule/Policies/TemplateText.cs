using System.Diagnostics.CodeAnalysis;

namespace IotCredentials.Policies;

/// <summary>A string with placeholders such as <c>{organizationId}</c>, parsed once.</summary>
internal sealed class TemplateText
{
    /// <summary>The placeholder of the organization as it is written.</summary>
    public const string OrganizationPlaceholder = "{organizationId}";

    private static readonly Dictionary<string, Placeholders> s_names = new(StringComparer.Ordinal)
    {
        ["organizationId"] = Placeholders.OrganizationId,
        ["accountId"] = Placeholders.AccountId,
        ["region"] = Placeholders.Region,
        ["partition"] = Placeholders.Partition,
    };

    private readonly Token[] _tokens;

    private TemplateText(string source, Token[] tokens)
    {
        Source = source;
        _tokens = tokens;
        foreach (var token in tokens)
            Names |= token.Name;
    }

    /// <summary>The text as it was written.</summary>
    public string Source { get; }

    /// <summary>The placeholders that the text holds.</summary>
    public Placeholders Names { get; }

    /// <summary>Whether the text is different for every organization.</summary>
    public bool NamesOrganization => (Names & Placeholders.OrganizationId) != 0;

    /// <summary>Parses a text. The finding's message begins where a caller's "where" ends, such as "holds …".</summary>
    /// <param name="text">The text that an operator wrote.</param>
    /// <param name="allowed">The placeholders that are allowed there.</param>
    /// <param name="template">The text, or null.</param>
    /// <param name="finding">The problem of the text, or null.</param>
    public static bool TryParse(
        string text, Placeholders allowed, [NotNullWhen(true)] out TemplateText? template, [NotNullWhen(false)] out Finding? finding)
    {
        template = null;
        finding = CheckCharacters(text);
        if (finding is not null)
            return false;

        var tokens = new List<Token>();
        var rest = text.AsSpan();
        while (!rest.IsEmpty)
        {
            var brace = rest.IndexOfAny('{', '}');
            if (brace != 0)
            {
                var literal = brace < 0 ? rest : rest[..brace];
                tokens.Add(new Token(literal.ToString(), Placeholders.None));
                rest = rest[literal.Length..];
                continue;
            }

            var length = rest[0] == '{' ? rest[1..].IndexOfAny('{', '}') : -1;
            if (length < 0 || rest[length + 1] != '}')
            {
                finding = Finding.Of(FindingCode.StrayBrace,
                    $"holds a `{rest[0]}` that belongs to no placeholder; braces stand only around a name. Here stand {Spell(allowed)}.");
                return false;
            }

            var name = rest.Slice(1, length).ToString();
            if (!s_names.TryGetValue(name, out var placeholder) || (placeholder & allowed) == 0)
            {
                finding = Finding.Of(FindingCode.UnknownPlaceholder,
                    $"holds the placeholder {{{name}}}; here stand {Spell(allowed)}.");
                return false;
            }

            tokens.Add(new Token("", placeholder));
            rest = rest[(length + 2)..];
        }

        template = new TemplateText(text, [.. tokens]);
        return true;
    }

    /// <summary>The text with its placeholders replaced, in one pass over the tokens: inserted values are never parsed again.</summary>
    public string Render(TemplateValues values)
    {
        if (Names == Placeholders.None)
            return Source;
        var parts = new string[_tokens.Length];
        for (var i = 0; i < parts.Length; i++)
            parts[i] = _tokens[i].Name == Placeholders.None ? _tokens[i].Literal : values[_tokens[i].Name];
        return string.Concat(parts);
    }

    /// <summary>The text as it was written.</summary>
    public override string ToString() => Source;

    private static Finding? CheckCharacters(string text)
    {
        foreach (var character in text)
        {
            // Only printable ASCII that JSON does not escape is allowed, so that the text is counted, sent and compared as it is written.
            if (character is < ' ' or > '~' or '"' or '\\')
                return Finding.Of(FindingCode.Character,
                    $"holds the character U+{(int)character:X4}; a text is printable ASCII without quotation mark and backslash.");
        }

        // IAM would replace a variable after our checks, with a value that was never checked.
        return text.Contains("${", StringComparison.Ordinal)
            ? Finding.Of(FindingCode.PolicyVariable,
                $"holds an IAM policy variable (`${{`); write the placeholder {OrganizationPlaceholder} or a literal.")
            : null;
    }

    private static string Spell(Placeholders allowed) => allowed == Placeholders.None
        ? "no placeholders"
        : string.Join(" ", s_names.Where(name => (name.Value & allowed) != 0).Select(name => $"{{{name.Key}}}"));

    private readonly record struct Token(string Literal, Placeholders Name);
}
