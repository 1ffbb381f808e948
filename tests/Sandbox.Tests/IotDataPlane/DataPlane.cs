using Sandbox.IotDataPlane;
using Testing;
using Xunit;

namespace Sandbox.Tests.IotDataPlane;

/// <summary>An emulator of AWS with its data endpoint, for the tests of a class.</summary>
public sealed class DataPlane : IAsyncLifetime
{
    public const string Role = "arn:aws:iam::111122223333:role/iot-organization";
    public const string Arn = "arn:aws:iot:ap-northeast-1:111122223333:";

    public AwsEmulator Aws { get; private set; } = null!;

    public IotDataEndpoint Endpoint { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Aws = await AwsEmulator.StartAsync();
        Endpoint = await IotDataEndpoint.StartAsync(Aws);
    }

    public async ValueTask DisposeAsync()
    {
        await Endpoint.DisposeAsync();
        await Aws.DisposeAsync();
    }

    /// <summary>A session with the policy that ships, for an organization.</summary>
    public AwsCredentials Shipped(string organization) => Session(
        File.ReadAllText(Path.Combine(Repository.Root, "appsettings/policies/organization.json"))
            .Replace("{partition}", "aws", StringComparison.Ordinal)
            .Replace("{region}", "ap-northeast-1", StringComparison.Ordinal)
            .Replace("{accountId}", "111122223333", StringComparison.Ordinal)
            .Replace("{organizationId}", organization, StringComparison.Ordinal));

    public AwsCredentials Session(string? policy, string role = Role, IEnumerable<KeyValuePair<string, string>>? tags = null) =>
        Aws.IssueRoleSession(role, "test", TimeSpan.FromHours(1), policy, tags);

    /// <summary>A session that may do anything with topics and clients of its own.</summary>
    public AwsCredentials Owner(string name) => Session(Policy(
        Allow("iot:Connect", $"client/{name}*"),
        Allow("iot:Publish iot:Receive iot:RetainPublish iot:GetRetainedMessage", $"topic/{name}/*", $"topic/$aws/*"),
        Allow("iot:Subscribe", $"topicfilter/{name}/*", $"topicfilter/$share/*/{name}/*", "topicfilter/$aws/*"),
        Allow("iot:GetThingShadow iot:UpdateThingShadow iot:DeleteThingShadow iot:ListNamedShadowsForThing", $"thing/{name}*")));

    public static string Policy(params string[] statements) => $$"""{"Version":"2012-10-17","Statement":[{{string.Join(',', statements)}}]}""";

    /// <summary>A statement; resources without a leading <c>arn:</c> or <c>*</c> are of the sessions' account and region.</summary>
    public static string Allow(string actions, params string[] resources) => Statement("Allow", actions, resources);

    public static string Deny(string actions, params string[] resources) => Statement("Deny", actions, resources);

    public static string Statement(string effect, string actions, string[] resources, string more = "") =>
        $$"""{"Effect":"{{effect}}","Action":[{{List(actions.Split(' '))}}],"Resource":[{{List(resources.Select(Full))}}]{{more}}}""";

    private static string Full(string resource) => resource == "*" || resource.StartsWith("arn:", StringComparison.Ordinal) ? resource : Arn + resource;

    private static string List(IEnumerable<string> items) => string.Join(',', items.Select(item => $"\"{item}\""));
}
