using CredentialModule;

namespace Gateway.Configuration.Rules;

/// <summary>What an organization id looks like, where the gateway's own sections name one.</summary>
internal sealed class OrganizationIdForm
{
    private const int MaxLength = 64;
    private readonly string prefix;
    private readonly HashSet<char> characters = [];

    /// <summary>The form that the module's options describe.</summary>
    public OrganizationIdForm(OrganizationIdOptions options)
    {
        prefix = options.Prefix;
        var set = options.Characters;
        for (var index = 0; index < set.Length; index++)
        {
            var isRange = index + 2 < set.Length && set[index + 1] == '-';
            var last = isRange ? set[index + 2] : set[index];
            for (int character = set[index]; character <= last; character++) characters.Add((char)character);
            if (isRange) index += 2;
        }
    }

    /// <summary>Refuses entries of a list that are no ids; they would never match.</summary>
    public static void CheckOnly(RuleContext context, string key, IReadOnlyList<string>? only)
    {
        var options = context.Options.IotCredentials.OrganizationId;
        var form = new OrganizationIdForm(options);
        for (var index = 0; index < only?.Count; index++)
            if (!form.Matches(only[index]))
                context.Error($"{key}:{index}",
                    $"is {Finding.Quote(only[index])}, no organization id. "
                    + $"Write {Finding.Quote(options.Prefix)} and 1 to {MaxLength} of {options.Characters}, as "
                    + "IotCredentials:OrganizationId says.");
    }

    private bool Matches(string id) =>
        id.StartsWith(prefix, StringComparison.Ordinal)
        && id.Length - prefix.Length is >= 1 and <= MaxLength
        && id.Skip(prefix.Length).All(characters.Contains);
}
