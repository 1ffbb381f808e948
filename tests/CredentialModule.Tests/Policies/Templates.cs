using System.Text;
using IotCredentials.Policies;

namespace IotCredentials.Tests.Policies;

/// <summary>How the tests of templates write them: <c>§</c> is the common part of every ARN.</summary>
internal static class Templates
{
    public const string Arn = "arn:{partition}:iot:{region}:{accountId}:";

    public static OrganizationIdFormat Wide { get; } = Format("", "A-Za-z0-9_-");

    public static OrganizationIdFormat Prefixed { get; } = Format("o-", "A-Za-z0-9");

    public static OrganizationIdFormat Lower { get; } = Format("", "a-z");

    public static OrganizationIdFormat Format(string prefix, string characters, int min = 1, int max = 64) =>
        OrganizationIdFormat.TryCreate(new OrganizationIdOptions { Prefix = prefix, Characters = characters, Length = new() { Min = min, Max = max } }, out _)
        ?? throw new ArgumentException("No format.", nameof(characters));

    public static TemplateValues Values(this OrganizationIdFormat ids, string organization) =>
        new(ids.TryParse(organization, out var id) ? id : throw new ArgumentException("No id.", nameof(organization)), "111122223333", "ap-northeast-1", "aws");

    public static SessionPolicyTemplate? Parse(string text, OrganizationIdFormat ids, out IReadOnlyList<Finding> findings, params string[] shared) =>
        SessionPolicyTemplate.Parse(
            Encoding.UTF8.GetBytes(text.Replace("§", Arn, StringComparison.Ordinal)),
            ids,
            Shared(shared),
            new TemplateValues(ids.LongestId, "111122223333", "ap-northeast-1", "aws-us-gov"),
            out findings);

    public static SharedTopics Shared(params string[] topics) => SharedTopics.Read(
        [.. topics.Select(topic => topic.Replace("§", Arn, StringComparison.Ordinal))],
        (index, finding) => throw new ArgumentException($"{topics[index]} {finding.Message}"));

    public static string[] Codes(string text, OrganizationIdFormat ids, params string[] shared)
    {
        var template = Parse(text, ids, out var findings, shared);
        Xunit.Assert.Equal(findings.All(finding => finding.Severity == Severity.Warning), template is not null);
        return [.. findings.Select(finding => finding.Code!)];
    }

    /// <summary>A policy of one statement that allows the actions on the resources.</summary>
    public static string Allow(string actions, params string[] resources) =>
        Document($$"""{"Effect":"Allow","Action":[{{List(actions.Split(' '))}}],"Resource":[{{List(resources)}}]}""");

    public static string Document(params string[] statements) => $$"""{"Version":"2012-10-17","Statement":[{{string.Join(',', statements)}}]}""";

    private static string List(string[] items) => string.Join(',', items.Select(item => $"\"{item}\""));
}
