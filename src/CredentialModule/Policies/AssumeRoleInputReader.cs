namespace IotCredentials.Policies;

/// <summary>The role that a profile assumes, with the partition and the account of its ARN.</summary>
/// <param name="Arn">The ARN; may name the organization.</param>
/// <param name="Partition">The value of <c>{partition}</c>, or that placeholder if the directory decides it.</param>
/// <param name="AccountId">The value of <c>{accountId}</c>, or that placeholder if the directory decides it.</param>
internal sealed record RoleArnTemplate(TemplateText Arn, string Partition, string AccountId)
{
    public const string OpenPartition = "{partition}";
    public const string OpenAccount = "{accountId}";

    public bool HasOpenPartition => Partition == OpenPartition;

    public bool HasOpenAccount => AccountId == OpenAccount;

    /// <summary>The role in an account and partition, which fill the open parts of the ARN.</summary>
    public RoleArnTemplate In(string partition, string accountId) =>
        this with { Partition = HasOpenPartition ? partition : Partition, AccountId = HasOpenAccount ? accountId : AccountId };
}

/// <summary>Reads the inputs of AssumeRole besides the policy, and checks AWS's limits for the shortest and the longest id.</summary>
/// <remarks>
/// Each method returns null, with at least one finding that begins with <c>where</c>, for a value that AWS would refuse at the first session.
/// </remarks>
/// <param name="ids">The form of organization ids.</param>
/// <param name="findings">Receives the findings.</param>
/// <param name="longestRegion">
/// The length of the longest region that the directory may name; null without a directory. Only a directory lets a text hold more than the organization.
/// </param>
internal sealed class AssumeRoleInputReader(OrganizationIdFormat ids, List<Finding> findings, int? longestRegion = null)
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

    private static readonly string s_longestPartition = AwsPartition.All.MaxBy(static partition => partition.Name.Length)!.Name;
    private const int AccountLength = 12;
    private const string OnlyWithDirectory =
        "Account, region and partition stand there only if IotCredentials:Directory says where organizations live; else write their values.";

    public RoleArnTemplate? ReadRoleArn(string where, string text)
    {
        if (Read(where, text, "+=,.@-_/:", Placeholders.AccountId | Placeholders.Partition) is not { } arn)
            return null;
        // Braces are only around names, which hold no colon and no slash, so the text can be split like the rendered ARN.
        if (text.Split(':') is not ["arn", var partition, "iam", "", var account, var resource]
            || (partition != RoleArnTemplate.OpenPartition && !AwsPartition.IsName(partition))
            || (account != RoleArnTemplate.OpenAccount && (account.Length != AccountLength || !account.All(char.IsAsciiDigit)))
            || !resource.StartsWith("role/", StringComparison.Ordinal)
            || resource.Split('/').Any(part => part.Length == 0))
        {
            Report(where, FindingCode.ArnShape,
                $"is not of the shape arn:aws:iam::123456789012:role/NAME; the partition is one of {AwsPartition.Names}.");
            return null;
        }

        var rendered = Longest(arn);
        var name = rendered[(rendered.LastIndexOf('/') + 1)..];
        var path = rendered[rendered.IndexOf('/', StringComparison.Ordinal)..^name.Length];
        return CheckLength(LongestRoleName, where, "has a role name", name) & CheckLength(LongestRolePath, where, "has a role path", path)
            ? new RoleArnTemplate(arn, partition, account)
            : null;
    }

    public TemplateText? ReadExternalId(string where, string text)
    {
        if (Read(where, text, "+=,.@:/-_", Placeholders.None) is not { } externalId || !CheckLength(LongestExternalId, where, "is a text", Longest(externalId)))
            return null;
        if (externalId.Render(new TemplateValues(ids.ShortestId, "", "", "")).Length >= ShortestExternalId)
            return externalId;
        Report(where, FindingCode.Length,
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
                Report(here, FindingCode.DuplicateMember, "is there twice: STS compares tag keys ignoring case.");
            if (key.StartsWith("aws:", StringComparison.OrdinalIgnoreCase))
                Report(here, FindingCode.Character, "begins with `aws:`, which is AWS's own.");
            if (key.Length == 0 || key.Contains('{', StringComparison.Ordinal))
                Report(here, FindingCode.Character, "is no tag key: at least one character, and no placeholder.");
            else
                Read(here, key, " _.:/=+-@", Placeholders.None);
            CheckLength(LongestTagKey, here, "is a key", key);
            // A configuration file can set null, although the type is not nullable.
            if (Read(here, value ?? "", " _.:/=+-@", Placeholders.All) is { } text && CheckLength(LongestTagValue, here, "has a value", Longest(text)))
                read.Add(KeyValuePair.Create(key, text));
        }

        if (keys.Count > MostTags)
            Report(where, FindingCode.Length, $"has {keys.Count} tags; STS takes at most {MostTags}.");
        return findings.Count == before ? read : null;
    }

    private TemplateText? Read(string where, string text, string punctuation, Placeholders withDirectory)
    {
        var allowed = Placeholders.OrganizationId | (longestRegion is null ? Placeholders.None : withDirectory);
        if (!TemplateText.TryParse(text, allowed, out var template, out var finding))
        {
            var others = longestRegion is null && withDirectory != Placeholders.None && TemplateText.TryParse(text, withDirectory | allowed, out _, out _);
            findings.Add(finding with { Message = $"{where} {finding.Message}{(others ? $" {OnlyWithDirectory}" : "")}" });
            return null;
        }

        foreach (var character in Longest(template))
        {
            if (char.IsAsciiLetterOrDigit(character) || punctuation.Contains(character))
                continue;
            Report(where, FindingCode.Character, $"holds `{character}`; it may hold only A-Z a-z 0-9 and {punctuation}");
            return null;
        }

        return template;
    }

    /// <summary>The longest values that a directory can give a template.</summary>
    public static TemplateValues LongestValues(OrganizationIdFormat ids, int longestRegion) =>
        new(ids.LongestId, new string('0', AccountLength), new string('x', longestRegion), s_longestPartition);

    private string Longest(TemplateText text) => text.Render(LongestValues(ids, longestRegion ?? 0));

    private bool CheckLength(int most, string where, string what, string text)
    {
        if (text.Length <= most)
            return true;
        Report(where, FindingCode.Length,
            $"{what} of {text.Length} characters for an id of {ids.LongestDescription}; AWS takes at most {most}. "
            + "Shorten it, or lower Length:Max to what your ids have.");
        return false;
    }

    private void Report(string where, string code, string message) => findings.Add(Finding.Of(code, $"{where} {message}"));
}
