using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace IotCredentials.Policies;

/// <summary>
/// A session policy with placeholders that was proven to keep every two organizations apart, whatever their ids. A template that breaks a rule is never
/// created.
/// </summary>
internal sealed class SessionPolicyTemplate
{
    /// <summary>STS AssumeRole: Policy, 2,048 characters.</summary>
    public const int LongestPolicy = 2048;

    // The default encoder writes six characters for each + & < > '. They would count against the limit, and none of them is special to IAM's parser.
    private static readonly JsonWriterOptions s_minified = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly PolicyNode _root;

    private SessionPolicyTemplate(
        PolicyNode root, SharedTopics shared, int worstCaseLength, IReadOnlyList<PolicyPlace> places, IReadOnlyList<IotResource> resources)
    {
        _root = root;
        Shared = shared;
        WorstCaseLength = worstCaseLength;
        Places = places;
        Resources = resources;
    }

    /// <summary>The topics that every organization may receive.</summary>
    public SharedTopics Shared { get; }

    /// <summary>The length of the policy, in characters, for the longest id and the longest of the other values.</summary>
    public int WorstCaseLength { get; }

    /// <summary>The places of the ARNs of its statements.</summary>
    public IReadOnlyList<PolicyPlace> Places { get; }

    /// <summary>The resources that an organization has for itself.</summary>
    public IReadOnlyList<IotResource> Resources { get; }

    /// <summary>Reads a template and checks it against every rule.</summary>
    /// <param name="utf8">The file.</param>
    /// <param name="ids">The form of organization ids, which determines the characters that close an id.</param>
    /// <param name="shared">The topics that every organization may receive.</param>
    /// <param name="longest">The longest account, region and partition that it will be rendered with; its organization is ignored.</param>
    /// <param name="findings">All problems, in the order of the file; the same for the same file.</param>
    /// <returns>The template; null if a finding is an error.</returns>
    public static SessionPolicyTemplate? Parse(
        ReadOnlySpan<byte> utf8, OrganizationIdFormat ids, SharedTopics shared, TemplateValues longest, out IReadOnlyList<Finding> findings)
    {
        var found = new List<Finding>();
        findings = found;
        if (PolicyReader.Read(utf8, found) is not { } root)
            return null;

        var statements = new PolicyDocument(found).Read(root);
        var resources = new AllowRules(ids, shared, found).Check(statements);
        new ResourceCollisionRule(ids, shared, found).Check(resources);
        new DenyRules(found).Check(statements);
        var length = LengthFor(ids.LongestId);
        if (length > LongestPolicy)
            found.Add(Finding.Of(FindingCode.Length,
                $"For an id of {ids.LongestDescription} the policy has {length} characters; AssumeRole takes {LongestPolicy}. {Remedy()}"));
        return found.Exists(static finding => finding.Severity == Severity.Error)
            ? null
            : new SessionPolicyTemplate(root, shared, length, [.. statements.SelectMany(PolicyPlace.Of)], resources);

        int LengthFor(OrganizationId id) => Render(root, longest with { OrganizationId = id }).Length;

        string Remedy()
        {
            var perCharacter = length - LengthFor(new OrganizationId(ids.LongestId.Value[..^1]));
            var most = perCharacter == 0 ? 0 : ids.MaxLength - (length - LongestPolicy + perCharacter - 1) / perCharacter;
            return most >= ids.MinLength
                ? $"If no id has more than {most} characters{(ids.Prefix.Length > 0 ? " after the prefix" : "")}, "
                    + $"set IotCredentials:OrganizationId:Length:Max to {most}; else shorten the policy."
                : "No shorter id makes it fit; shorten the policy.";
        }
    }

    /// <summary>The policy of one organization, minified.</summary>
    public string Render(TemplateValues values) => Render(_root, values);

    private static string Render(PolicyNode root, TemplateValues values)
    {
        var buffer = new ArrayBufferWriter<byte>(LongestPolicy);
        using (var writer = new Utf8JsonWriter(buffer, s_minified))
            root.Write(writer, values);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}

/// <summary>The place of an ARN in a template: at AWS, and in the file.</summary>
/// <param name="Path">The ARN's path in the file.</param>
/// <param name="Partition">The partition, its placeholder or a wildcard.</param>
/// <param name="Region">The region, its placeholder or a wildcard; a wildcard too if the statement has its effect outside of that region.</param>
/// <param name="Account">The account, likewise.</param>
/// <param name="Verb">What its statement does there, in a finding.</param>
internal sealed record PolicyPlace(string Path, string Partition, string Region, string Account, string Verb)
{
    private const string Anywhere = "*";

    /// <summary>The places of a statement's ARNs. The form of each was checked.</summary>
    public static IEnumerable<PolicyPlace> Of(PolicyStatement statement) =>
    [
        .. statement.Resources.Select(resource => Of(statement, resource)).OfType<PolicyPlace>(),
        .. statement.OtherResources.Select(resource => Of(statement, resource)).OfType<PolicyPlace>()
            .Select(static place => place with { Region = Anywhere, Account = Anywhere }),
    ];

    private static PolicyPlace? Of(PolicyStatement statement, PolicyString resource) => resource.Text.Source.Split(':') switch
    {
        [_, var partition, "iot", var region, var account, ..] => new(resource.Path, partition, region, account, statement.Verb),
        [_, var partition, ..] => new(resource.Path, partition, Anywhere, Anywhere, statement.Verb),
        _ => null,
    };
}
