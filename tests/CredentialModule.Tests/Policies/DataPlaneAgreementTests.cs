using FsCheck.Fluent;
using Sandbox;
using Sandbox.IotDataPlane;
using Testing;
using Xunit;

namespace IotCredentials.Tests.Policies;

/// <summary>
/// Three that do not know each other judge the same generated templates and operations: the rules, the tests' own evaluator (<see cref="Reach"/>), and the
/// evaluator by which the emulated broker of AWS IoT decides; a sample goes over the wire. <c>POLICY_SEED</c> tries others.
/// </summary>
[Trait("Category", "Long")]
public sealed class DataPlaneAgreementTests(ITestOutputHelper output)
{
    private const string Region = "ap-northeast-1";

    private static readonly int s_count = Sample.Count(2_000, 10_000);
    private static readonly int s_onTheWire = Sample.Count(100, 400);

    [Fact]
    public async Task Rules_evaluators_and_broker_agree_on_generated_templates_and_operations()
    {
        var seed = Seed.Of("POLICY_SEED");
        var random = seed.NewRandom();
        var sampled = new List<(string Policy, Operation[] Operations)>();
        var (tried, operations, allowed, accepted, crossings) = (0, 0, 0, 0, 0);
        seed.Check(
            Prop.ForAll(GeneratedTemplate.Any, template =>
            {
                tried++;
                var form = template.Form;
                var ids = Templates.Format(form.Prefix, form.Characters, form.Min, form.Max);
                var parsed = Templates.Parse(template.Text, ids, out _, template.SharedTopics);
                var alike = template.LookAlikes(2);
                var policies = alike
                    .Select(id => parsed?.Render(ids.Values(id)) ?? template.Text.Replace("{organizationId}", id, StringComparison.Ordinal))
                    .Select(policy => policy.Replace(":iot:r:", $":iot:{Region}:", StringComparison.Ordinal)).ToList();
                var tries = policies.SelectMany(policy => Reach.Resources(policy)).SelectMany(resource => Operation.For(resource, random)).ToArray();
                var sessions = policies.ConvertAll(Session);
                foreach (var (policy, session) in policies.Zip(sessions))
                {
                    var resources = Operation.Actions.ToDictionary(each => each.Key, each => Reach.Resources(policy, each.Value));
                    foreach (var operation in tries)
                    {
                        var isAllowed = operation.IsAllowed(session);
                        Assert.True(isAllowed == operation.IsCovered(resources[operation.Type]), $"{operation} is judged in two ways: {policy}");
                        operations++;
                        allowed += isAllowed ? 1 : 0;
                    }
                }

                if (sessions.Count == 2 && template.Shared.Length == 0)
                {
                    var crossing = tries.FirstOrDefault(operation => sessions.TrueForAll(operation.IsAllowed));
                    Assert.True(parsed is null || crossing is null, $"{alike[0]} and {alike[1]} may both {crossing}: {template}");
                    crossings += crossing is null ? 0 : 1;
                }

                accepted += parsed is null ? 0 : 1;
                if (sampled.Count < s_onTheWire && policies.Count > 0) sampled.Add((policies[0], tries));
                return true;
            }),
            s_count);

        var sent = await SendAsync(sampled);
        output.WriteLine(
            $"{seed}: {tried} templates, {accepted} accepted, {crossings} refused that cross; {operations} operations, {allowed} allowed, {sent} on the wire");
        Assert.Equal(s_count, tried);
        // What is all refused, or all allowed, would prove nothing.
        Assert.InRange(allowed, operations / 10, operations * 9 / 10);
        Assert.InRange(accepted, tried / 10, tried * 9 / 10);
        Assert.InRange(crossings, tried / 200, tried);
        Assert.InRange(sent, s_onTheWire, int.MaxValue);
    }

    /// <summary>Tries the operations on a broker; returns how many.</summary>
    private static async Task<int> SendAsync(IEnumerable<(string Policy, Operation[] Operations)> samples)
    {
        await using var aws = await AwsEmulator.StartAsync();
        await using var endpoint = await IotDataEndpoint.StartAsync(aws);
        var sent = 0;
        foreach (var (policy, operations) in samples)
        {
            // The client id is not what is tried with topics, so a statement allows one.
            var open = policy.Insert(
                policy.LastIndexOf(']'), $$""",{"Effect":"Allow","Action":"iot:Connect","Resource":"arn:aws:iot:{{Region}}:111122223333:client/wire"}""");
            var session = aws.IssueRoleSession("arn:aws:iam::111122223333:role/iot", "test", TimeSpan.FromHours(1), open);
            var judge = Session(open);
            await using var client = await MqttTestClient.ConnectAsync(endpoint, session, "wire");
            foreach (var operation in operations.Where(operation => operation.Type == "topicfilter" && operation.IsValid).Take(4))
            {
                Assert.Equal(operation.IsAllowed(judge) ? 1 : 128, Assert.Single(await client.SubscribeAsync(operation.Name)));
                sent++;
            }

            foreach (var operation in operations.Where(operation => operation.Type == "client" && operation.IsValid).Take(2))
            {
                await using var other = await MqttTestClient.ConnectAsync(endpoint, session, operation.Name);
                Assert.Equal(operation.IsAllowed(judge), other.Connected.ResultCode == MQTTnet.MqttClientConnectResultCode.Success);
                sent++;
            }

            // A refused message ends the connection, so it comes last.
            foreach (var operation in operations.Where(operation => operation.Type == "topic" && operation.IsValid).Take(2))
            {
                var isPublished = client.IsConnected && await client.PublishAsync(operation.Name);
                Assert.Equal(operation.IsAllowed(judge), isPublished);
                sent++;
                if (!isPublished) break;
            }
        }

        return sent;
    }

    private static DataPlaneSession Session(string policy) => new(
        new AwsSession(
            new AwsCredentials("ASIA", "", "", DateTimeOffset.MaxValue, "111122223333", "arn:aws:sts::111122223333:assumed-role/iot/test", ""),
            Region,
            [policy],
            new Dictionary<string, string>()),
        "127.0.0.1");

    /// <summary>An operation on a resource of a type.</summary>
    private sealed record Operation(string Type, string Name)
    {
        /// <summary>The action of the operation on each type.</summary>
        public static Dictionary<string, string> Actions { get; } = new()
        {
            ["client"] = "iot:Connect",
            ["topic"] = "iot:Publish",
            ["topicfilter"] = "iot:Subscribe",
            ["thing"] = "iot:GetThingShadow",
        };

        /// <summary>Operations on names that the resource covers, and on some that it nearly covers.</summary>
        public static IEnumerable<Operation> For(Reach.Resource resource, System.Random random)
        {
            foreach (var fill in new[] { "", "x/y" })
            {
                var name = resource.Pattern.Replace("*", fill, StringComparison.Ordinal).Replace('?', 'b');
                yield return new(resource.Type, name);
                if (name.Length == 0) continue;
                var place = random.Next(name.Length);
                yield return new(resource.Type, random.Next(3) switch
                {
                    0 => name.Remove(place, 1),
                    1 => name.Insert(place, "a"),
                    _ => name[..place] + (char)(name[place] ^ 1) + name[(place + 1)..],
                });
            }
        }

        /// <summary>Whether it can be sent so that only the policy decides.</summary>
        public bool IsValid => Name.Length > 0 && Name.Length <= 100 && Name.All(static letter => letter is > ' ' and <= '~') && Type switch
        {
            "topicfilter" => Name.StartsWith("$share/", StringComparison.Ordinal) ? MqttTopics.Shared(Name) is not null : MqttTopics.IsFilter(Name),
            "topic" => MqttTopics.IsTopic(Name) && (!Name.StartsWith('$') || Name.StartsWith("$aws/rules/", StringComparison.Ordinal)),
            _ => true,
        };

        public bool IsAllowed(DataPlaneSession session) => Type switch
        {
            "client" => session.MayConnect(Name),
            // Generated templates publish to their own topics, and only receive shared ones.
            "topic" => session.MayPublish("wire", Name),
            "topicfilter" => session.MaySubscribe("wire", Name),
            _ => session.MayUseThing(Actions[Type], Name),
        };

        public bool IsCovered(IEnumerable<Reach.Resource> resources) =>
            resources.Any(resource => resource.Type == Type && Reach.IamCovers(resource.Pattern, Name));
    }
}
