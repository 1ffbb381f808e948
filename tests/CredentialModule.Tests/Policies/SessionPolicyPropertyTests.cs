using System.Globalization;
using FsCheck.Fluent;
using Testing;
using Xunit;

namespace IotCredentials.Tests.Policies;

/// <summary>
/// The rules prove, the evaluator searches; neither knows the other. Whatever the rules accept, the evaluator finds nothing in, and every example
/// that the rules give is one for the evaluator too. <c>POLICY_SEED</c> tries others; <c>POLICY_TEMPLATES</c> is how many are to be accepted.
/// </summary>
[Trait("Category", "Long")]
public sealed class SessionPolicyPropertyTests(ITestOutputHelper output)
{
    private const int Batch = 500;

    private static readonly int s_wanted = Environment.GetEnvironmentVariable("POLICY_TEMPLATES") is { Length: > 0 } text
        ? int.Parse(text, CultureInfo.InvariantCulture)
        : 500;

    private int _tried;
    private int _accepted;
    private int _examples;
    private int _unsafeRefused;
    private int _oneLength;
    private int _fromRight;
    private int _shared;

    [Fact]
    public void Parse_GeneratedTemplates_AgreesWithTheEvaluator()
    {
        var seed = Seed.Of("POLICY_SEED");
        var property = Prop.ForAll(GeneratedTemplate.Any, template =>
        {
            Try(template);
            return true;
        });

        for (var batch = 0UL; _accepted < s_wanted; batch++)
            (seed with { Value = seed.Value + batch }).Check(property, Batch);

        output.WriteLine(
            $"{seed}: {_tried} templates, {_accepted} accepted ({_oneLength} with ids of one length, {_fromRight} read from the right, "
            + $"{_shared} with shared topics), {_unsafeRefused} refused that are unsafe, {_examples} examples confirmed");
        // A generator that is all refused, or all harmless, would prove nothing.
        Assert.InRange(_accepted, _tried / 10, _tried * 9 / 10);
        Assert.InRange(_unsafeRefused, _tried / 25, _tried);
        Assert.InRange(_examples, _tried / 20, _tried * 10);
        Assert.InRange(_oneLength, _accepted / 10, _accepted);
        Assert.InRange(_fromRight, _accepted / 50, _accepted);
        Assert.InRange(_shared, _accepted / 50, _accepted);
    }

    private void Try(GeneratedTemplate template)
    {
        _tried++;
        var form = template.Form;
        var ids = Templates.Format(form.Prefix, form.Characters, form.Min, form.Max);
        if (Templates.Parse(template.Text, ids, out var findings, template.SharedTopics) is { } parsed)
        {
            _accepted++;
            _oneLength += form.HasOneLength ? 1 : 0;
            _fromRight += template.Parts.Any(part => part.Head.AsSpan().IndexOfAny("*?+") >= 0) ? 1 : 0;
            _shared += template.Shared.Length > 0 ? 1 : 0;
            if (FindTrouble(template, template.LookAlikes(7), id => parsed.Render(ids.Values(id))) is { } trouble)
                throw new InvalidOperationException($"{trouble}: {template}");
            return;
        }

        foreach (var example in findings.Select(finding => finding.Counterexample).OfType<PolicyCounterexample>())
            _examples += CheckExample(template, example) ? 1 : 0;
        var isUnsafe = FindTrouble(template, template.LookAlikes(4), id => template.Text.Replace("{organizationId}", id, StringComparison.Ordinal)) is not null;
        _unsafeRefused += isUnsafe ? 1 : 0;
    }

    /// <summary>Two organizations that meet, or one whose own topic is shared; null when none of those named do.</summary>
    private static string? FindTrouble(GeneratedTemplate template, IReadOnlyList<string> ids, Func<string, string> render)
    {
        // The shared topics follow the organization's own resources. An own one may become the same text: by that a clash shows.
        var policies = ids.Select(id => (Id: id, All: Reach.Resources(render(id)))).Select(policy => (
            policy.Id,
            Own: policy.All.Take(template.Parts.Length).ToList(),
            Shared: policy.All.Skip(template.Parts.Length).ToList())).ToList();
        foreach (var (id, own, shared) in policies)
        {
            if (MeetingSearch.Find(own, shared) is { } meeting)
                return $"`{id}`'s own {meeting} is shared";
        }

        // The search is over every resource of one with every resource of the other, so a pair is searched once.
        foreach (var (one, other) in from one in policies from other in policies where string.CompareOrdinal(one.Id, other.Id) < 0 select (one, other))
        {
            if (MeetingSearch.Find(one.Own, other.Own) is not { } meeting)
                continue;
            // Both halves of the evaluator have to say so.
            foreach (var policy in new[] { one.Own, other.Own })
            {
                Assert.True(
                    meeting.Kind is "thing" or "client"
                    || policy.Any(resource =>
                        meeting.Kind == "topic" ? Reach.Reaches(resource, meeting.Name) : Reach.ReachesClient(resource, meeting.Name)),
                    $"{meeting} is found by one half of the evaluator alone: {template}");
            }

            return $"`{one.Id}` and `{other.Id}` both reach {meeting}";
        }

        return null;
    }

    private static bool CheckExample(GeneratedTemplate template, PolicyCounterexample example)
    {
        static Reach.Resource Rendered(string resource, OrganizationId id) =>
            Reach.Resource.OfArn(resource.Replace("{organizationId}", id.Value, StringComparison.Ordinal));
        Assert.NotEqual(example.Reaching, example.Reached);
        Assert.True(template.IsId(example.Reaching.Value) && template.IsId(example.Reached.Value), $"{example} holds what is no id: {template}");
        if (example.Shared is null)
            return false;
        var (one, other) = (Rendered(example.ReachingResource, example.Reaching), Rendered(example.ReachedResource, example.Reached));
        var isOne = one.IsClient && other.IsClient
            ? Reach.ReachesClient(one, example.Shared) && Reach.ReachesClient(other, example.Shared)
            : Reach.Reaches(one, example.Shared) && Reach.Reaches(other, example.Shared);
        Assert.True(isOne, $"{example} is no example: {template}");
        return true;
    }
}
