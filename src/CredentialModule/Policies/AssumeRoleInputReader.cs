namespace IotCredentials.Policies;

/// <summary>The role that a profile assumes, with the partition and the account of its ARN.</summary>
/// <param name="Arn">The ARN; may name the organization.</param>
/// <param name="Partition">The value of <c>{partition}</c>.</param>
/// <param name="AccountId">The value of <c>{accountId}</c>.</param>
internal sealed record RoleArnTemplate(TemplateText Arn, string Partition, string AccountId);

/// <summary>Reads the inputs of AssumeRole besides the policy, and checks AWS's limits for the shortest and the longest id.</summary>
/// <remarks>
/// Each method returns null, with at least one finding that begins with <c>where</c>, for a value that AWS would refuse at the first session.
/// </remarks>
internal sealed class AssumeRoleInputReader(OrganizationIdFormat ids, List<Finding> findings)
{
    // IAM CreateRole: RoleName, 64 characters of [\w+=,.@-]; Path, 512.
    private const int LongestRoleName = 64;
    private const int LongestRolePath = 512;

    // STS AssumeRole: ExternalId, 2 to 1,224 characters of [\w+=,.@:/-].
    private const int ShortestExternalId = 2;
    private const int LongestExternalId = 1224;

    // STS AssumeRole: Tags, 50. STS Tag: Key, 1 to 128 characters; Value, 0 to 256; both of [\p{L}\p{Z}\p{N}_.:/=+\-@].
    private const int MostTags = 50;
    private const int LongestTagKey = 128;
    private const int LongestTagValue = 256;

    public RoleArnTemplate? ReadRoleArn(string where, string text)
    {
        if (Read(where, text, "+=,.@-_/:") is not { } arn)
            return null;
        // Braces are only around the organization, which holds no colon and no slash, so the text can be split like the rendered ARN.
        if (text.Split(':') is not ["arn", "aws" or "aws-cn" or "aws-us-gov", "iam", "", { Length: 12 } account, var resource]
            || !account.All(char.IsAsciiDigit)
            || !resource.StartsWith("role/", StringComparison.Ordinal)
            || resource.Split('/').Any(part => part.Length == 0))
        {
            Find(where, FindingCode.ArnShape,
                "is not of the shape arn:aws:iam::123456789012:role/NAME; the partition may also be aws-cn or aws-us-gov.");
            return null;
        }

        var rendered = Longest(arn);
        var name = rendered[(rendered.LastIndexOf('/') + 1)..];
        var path = rendered[rendered.IndexOf('/', StringComparison.Ordinal)..^name.Length];
        return IsAtMost(LongestRoleName, where, "has a role name", name) & IsAtMost(LongestRolePath, where, "has a role path", path)
            ? new RoleArnTemplate(arn, text.Split(':')[1], account)
            : null;
    }

    public TemplateText? ReadExternalId(string where, string text)
    {
        if (Read(where, text, "+=,.@:/-_") is not { } externalId || !IsAtMost(LongestExternalId, where, "is a text", Longest(externalId)))
            return null;
        if (externalId.Render(new TemplateValues(ids.ShortestId, "", "", "")).Length >= ShortestExternalId)
            return externalId;
        Find(where, FindingCode.Length,
            $"is too short for an id of {ids.ShortestId.Value.Length} characters; STS takes at least {ShortestExternalId}. "
            + "Lengthen it, or raise IotCredentials:OrganizationId:Length:Min.");
        return null;
    }

    /// <summary>Reads session tags and returns them in the order of their keys.</summary>
    public IReadOnlyList<KeyValuePair<string, TemplateText>>? ReadTags(string where, IEnumerable<KeyValuePair<string, string>> tags)
    {
        var before = findings.Count;
        var read = new List<KeyValuePair<string, TemplateText>>();
        var keys = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (key, value) in tags.OrderBy(tag => tag.Key, StringComparer.Ordinal))
        {
            var here = $"{where}:{key}";
            if (!keys.Add(key))
                Find(here, FindingCode.DuplicateMember, "is there twice: STS compares tag keys ignoring case.");
            if (key.StartsWith("aws:", StringComparison.OrdinalIgnoreCase))
                Find(here, FindingCode.Character, "begins with `aws:`, which is AWS's own.");
            if (key.Length == 0 || key.Contains('{', StringComparison.Ordinal))
                Find(here, FindingCode.Character, "is no tag key: at least one character, and no placeholder.");
            else
                Read(here, key, " _.:/=+-@");
            IsAtMost(LongestTagKey, here, "is a key", key);
            // A configuration file can set null, although the type is not nullable.
            if (Read(here, value ?? "", " _.:/=+-@") is { } text && IsAtMost(LongestTagValue, here, "has a value", Longest(text)))
                read.Add(KeyValuePair.Create(key, text));
        }

        if (keys.Count > MostTags)
            Find(where, FindingCode.Length, $"has {keys.Count} tags; STS takes at most {MostTags}.");
        return findings.Count == before ? read : null;
    }

    private TemplateText? Read(string where, string text, string punctuation)
    {
        if (!TemplateText.TryParse(text, Placeholders.OrganizationId, out var template, out var finding))
        {
            findings.Add(finding with { Message = $"{where} {finding.Message}" });
            return null;
        }

        foreach (var character in Longest(template))
        {
            if (char.IsAsciiLetterOrDigit(character) || punctuation.Contains(character))
                continue;
            Find(where, FindingCode.Character, $"holds `{character}`; it may hold only A-Z a-z 0-9 and {punctuation}");
            return null;
        }

        return template;
    }

    private string Longest(TemplateText text) => text.Render(new TemplateValues(ids.LongestId, "", "", ""));

    private bool IsAtMost(int most, string where, string what, string text)
    {
        if (text.Length <= most)
            return true;
        Find(where, FindingCode.Length,
            $"{what} of {text.Length} characters for an id of {ids.LongestDescription}; AWS takes at most {most}. "
            + "Shorten it, or lower Length:Max to what your ids have.");
        return false;
    }

    private void Find(string where, string code, string message) => findings.Add(Finding.Of(code, $"{where} {message}"));
}
