using System.Globalization;
using CredentialModule.Policies;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace CredentialModule.Tests.Policies;

/// <summary>
/// The rules prove, the evaluator searches; neither knows the other. Whatever the rules accept, the evaluator finds nothing in, and every example
/// that the rules give is one for the evaluator too. <c>POLICY_SEED</c> repeats a run.
/// </summary>
public sealed class SessionPolicyPropertyTests(ITestOutputHelper output)
{
    private const int Cases = 3000;

    [Fact]
    public void Parse_GeneratedTemplates_AgreesWithTheEvaluator()
    {
        var seed = Environment.GetEnvironmentVariable("POLICY_SEED") is { Length: > 0 } text
            ? ulong.Parse(text, CultureInfo.InvariantCulture)
            : (ulong)System.Random.Shared.NextInt64();
        var (accepted, examples, unsafeRefused) = (0, 0, 0);

        var property = Prop.ForAll(GeneratedTemplate.Any, template =>
        {
            var ids = Templates.Format(template.Prefix, template.Characters);
            var parsed = Templates.Parse(template.Text, ids, out var findings);
            if (parsed is not null)
            {
                accepted++;
                CheckAccepted(template, parsed, ids);
                return true;
            }

            foreach (var example in findings.Select(finding => finding.Counterexample).OfType<PolicyCounterexample>())
                examples += CheckExample(template, example) ? 1 : 0;
            unsafeRefused += IsUnsafe(template) ? 1 : 0;
            return true;
        });

        var config = Config.QuickThrowOnFailure.WithMaxTest(Cases).WithQuietOnSuccess(true)
            .WithReplay(new Replay(new Rnd(seed, 1), Microsoft.FSharp.Core.FSharpOption<int>.None));
        try
        {
            Check.One(config, property);
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException($"POLICY_SEED={seed}", exception);
        }

        output.WriteLine($"POLICY_SEED={seed}: {Cases} templates, {accepted} accepted, {unsafeRefused} refused that are unsafe, {examples} examples confirmed");
        // A generator that is all refused, or all harmless, would prove nothing.
        Assert.InRange(accepted, Cases / 10, Cases);
        Assert.InRange(unsafeRefused, Cases / 25, Cases);
        Assert.InRange(examples, Cases / 20, Cases * 10);
    }

    private static void CheckAccepted(GeneratedTemplate template, SessionPolicyTemplate parsed, OrganizationIdFormat ids)
    {
        var policies = template.LookAlikes(6).Select(id => (Id: id, Resources: Reach.Resources(parsed.Render(ids.Values(id))))).ToList();
        // The search is over every resource of one with every resource of the other, so a pair is searched once.
        foreach (var (one, other) in from one in policies from other in policies where string.CompareOrdinal(one.Id, other.Id) < 0 select (one, other))
        {
            if (MeetingSearch.Find(one.Resources, other.Resources) is { } name)
                throw new InvalidOperationException($"`{one.Id}` and `{other.Id}` both reach `{name}`: {template}");
        }
    }

    private static bool CheckExample(GeneratedTemplate template, PolicyCounterexample example)
    {
        static Reach.Resource Rendered(string resource, OrganizationId id) =>
            Reach.Resource.OfArn(resource.Replace("{organizationId}", id.Value, StringComparison.Ordinal));
        Assert.NotEqual(example.Reaching, example.Reached);
        Assert.True(template.IsId(example.Reaching.Value) && template.IsId(example.Reached.Value), $"{example} holds what is no id: {template}");
        if (example.Shared is null)
            return false;
        Assert.True(
            Reach.Reaches(Rendered(example.ReachingResource, example.Reaching), example.Shared)
            && Reach.Reaches(Rendered(example.ReachedResource, example.Reached), example.Shared),
            $"{example} is no example: {template}");
        return true;
    }

    private static bool IsUnsafe(GeneratedTemplate template)
    {
        var policies = template.LookAlikes(4).Select(id => Reach.Resources(template.Text.Replace("{organizationId}", id, StringComparison.Ordinal))).ToList();
        foreach (var (one, other) in from one in policies from other in policies where one != other select (one, other))
        {
            if (MeetingSearch.Find(one, other) is not { } name)
                continue;
            // Both halves of the evaluator have to say so.
            Assert.Contains(one, resource => Reach.Reaches(resource, name));
            Assert.Contains(other, resource => Reach.Reaches(resource, name));
            return true;
        }

        return false;
    }
}
