using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using k8s.Models;
using Testing;
using Xunit;

namespace Deployment.Tests;

/// <summary>What the roles of <c>deploy/aws/roles.yaml</c>, and those that the documents show, allow and whom they trust.</summary>
public sealed partial class RoleTests
{
    private const string Organizations = "arn:aws:iam::111122223333:role/iot-organization";
    private const string Gateway = "arn:aws:iam::111122223333:role/iot-gateway";
    private const string ClusterIssuer = "oidc.eks.eu-central-1.amazonaws.com/id/A1B2";
    private const string EntraIssuer = "sts.windows.net/11111111-2222-3333-4444-555555555555/";

    private static readonly string s_template = File.ReadAllText(Tool.Deploy("aws", "roles.yaml"));

    public static TheoryData<string> GatewayPolicies => ["template", "document"];

    [Theory]
    [InlineData("Platform=WebIdentity,Issuer=oidc.example/id")]
    [InlineData("Platform=PodIdentity,Cluster=main")]
    [InlineData("Platform=Ecs")]
    public async Task The_linter_accepts_the_template(string parameters)
    {
        var linted = await Tool.RunAsync(Tool.CfnLint, ["validate", Tool.Deploy("aws", "roles.yaml"), "--parameters", parameters]);

        Assert.True(linted.ExitCode == 0, linted.All);
        Assert.Contains("0 warn", linted.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PolicyName: gateway", "PolicyNam: gateway")]
    [InlineData("!GetAtt GatewayRole.Arn", "!GetAtt GatewayRol.Arn")]
    [InlineData("${IotRegion}", "${IotRegio}")]
    [InlineData("AWS::IAM::Role", "AWS::IAM::Rol")]
    public async Task The_linter_refuses_a_misspelt_name(string written, string misspelt)
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("template-").FullName, "roles.yaml");
        File.WriteAllText(file, s_template.Replace(written, misspelt, StringComparison.Ordinal));

        var linted = await Tool.RunAsync(Tool.CfnLint, ["validate", file]);

        Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
        Assert.Equal(1, linted.ExitCode);
    }

    [Theory]
    [MemberData(nameof(GatewayPolicies))]
    public void The_gateway_may_open_sessions_of_organizations_and_look_up_endpoints_and_nothing_else(string source)
    {
        var policy = source == "template" ? Permissions("GatewayRole") : Document("running-on-aws.md", "iot:DescribeEndpoint");

        foreach (var action in (string[])["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"])
        {
            Assert.True(policy.Allows(action, Organizations), action);
            foreach (var other in (string[])
                [
                    "*", Gateway, Organizations + "-2", Organizations.ToUpperInvariant(), "arn:aws:iam::111122223333:role/admin",
                    "arn:aws:iam::444455556666:role/iot-organization", "arn:aws-cn:iam::111122223333:role/iot-organization",
                    "arn:aws:iam::111122223333:role/team/iot-organization", "arn:aws:iam::111122223333:user/iot-organization",
                ])
                Assert.False(policy.Allows(action, other), $"{action} {other}");
        }

        Assert.True(policy.Allows("iot:DescribeEndpoint", "*"));
        foreach (var (action, resource) in ((string, string)[])
            [
                ("*", "*"), ("iam:*", "*"), ("iam:PassRole", Organizations), ("iam:UpdateAssumeRolePolicy", Organizations), ("iot:*", "*"),
                ("iot:Connect", "arn:aws:iot:ap-northeast-1:111122223333:client/o-acme-web-1"),
                ("iot:Publish", "arn:aws:iot:ap-northeast-1:111122223333:topic/o-acme/a"),
                ("iot:UpdateThingShadow", "arn:aws:iot:ap-northeast-1:111122223333:thing/o-acme-a"), ("iot:DescribeThing", "*"), ("iot:AttachPolicy", "*"),
                ("sts:*", Organizations), ("sts:AssumeRoleWithWebIdentity", Organizations), ("sts:GetFederationToken", "*"), ("sts:AssumeRoot", "*"),
                ("s3:GetObject", "arn:aws:s3:::bucket/key"), ("secretsmanager:GetSecretValue", "*"), ("kms:Decrypt", "*"),
            ])
            Assert.False(policy.Allows(action, resource), $"{action} {resource}");
        // No wildcard: what is not named here cannot be allowed.
        Assert.Equal(["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity", "iot:DescribeEndpoint"], policy.Actions);
    }

    [Theory]
    [MemberData(nameof(GatewayPolicies))]
    public void The_role_of_organizations_allows_what_the_shipped_session_policy_grants_and_only_messages_of_organizations(string source)
    {
        const string Arn = "arn:aws:iot:ap-northeast-1:111122223333:";
        var policy = source == "template" ? Permissions("OrganizationRole") : Document("running-on-aws.md", "iot:Connect");
        var session = new IamPolicy(JsonNode.Parse(File.ReadAllText(Path.Combine(Repository.Root, "appsettings", "policies", "organization.json"))
            .Replace("{partition}", "aws", StringComparison.Ordinal).Replace("{region}", "ap-northeast-1", StringComparison.Ordinal)
            .Replace("{accountId}", "111122223333", StringComparison.Ordinal).Replace("{organizationId}", "o-acme", StringComparison.Ordinal))!);

        foreach (var (action, resource) in ((string, string)[])
            [
                ("iot:Connect", "client/o-acme-web-1"), ("iot:Publish", "topic/o-acme/a/b"), ("iot:Receive", "topic/o-acme/a"),
                ("iot:Publish", "topic/$aws/things/o-acme-a-1/shadow/update"), ("iot:Receive", "topic/$aws/things/o-acme-a-1/shadow/get/accepted"),
                ("iot:Subscribe", "topicfilter/o-acme/*"), ("iot:Subscribe", "topicfilter/$aws/things/o-acme-a-1/shadow/#"),
            ])
        {
            Assert.True(session.Allows(action, Arn + resource), $"the session policy: {action} {resource}");
            Assert.True(policy.Allows(action, Arn + resource), $"{action} {resource}");
        }

        foreach (var (action, resource) in ((string, string)[])
            [
                ("iot:Connect", Arn + "client/device-1"), ("iot:Connect", Arn + "client/o-acme-1"), ("iot:Connect", "*"),
                ("iot:Publish", Arn + "topic/announcements/a"), ("iot:Publish", Arn + "topic/$aws/things/device/shadow/update"),
                ("iot:Publish", Arn + "topic/$aws/rules/rule"), ("iot:Subscribe", Arn + "topicfilter/#"), ("iot:Subscribe", Arn + "topicfilter/+/a"),
                ("iot:Publish", "arn:aws:iot:eu-west-1:111122223333:topic/o-acme/a"), ("iot:Publish", "arn:aws:iot:ap-northeast-1:444455556666:topic/o-acme/a"),
                ("iot:UpdateThingShadow", Arn + "thing/o-acme-a-1"), ("iot:DescribeEndpoint", "*"), ("iot:*", "*"), ("sts:AssumeRole", Organizations),
                ("iam:*", "*"), ("s3:GetObject", "arn:aws:s3:::bucket/key"),
            ])
            Assert.False(policy.Allows(action, resource), $"{action} {resource}");
        Assert.Equal(["iot:Connect", "iot:Publish", "iot:Receive", "iot:Subscribe"], policy.Actions);
    }

    [Theory]
    [MemberData(nameof(GatewayPolicies))]
    public void The_role_of_organizations_trusts_the_gateway_alone(string source)
    {
        var trust = source == "template" ? Trust("OrganizationRole") : Document("running-on-aws.md", "\"AWS\"");

        Assert.Equal(["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"], trust.Actions);
        foreach (var action in trust.Actions)
        {
            Assert.True(trust.Trusts($"AWS:{Gateway}", action), action);
            foreach (var other in (string[])
                [
                    "AWS:*", "AWS:111122223333", "AWS:arn:aws:iam::111122223333:root", $"AWS:{Gateway}-2", $"AWS:{Organizations}",
                    "Service:ecs-tasks.amazonaws.com",
                ])
                Assert.False(trust.Trusts(other, action), $"{action} {other}");
        }
    }

    [Theory]
    [InlineData("template", ClusterIssuer, "sts.amazonaws.com", "system:serviceaccount:iot-gateway:iot-gateway")]
    [InlineData("template", EntraIssuer, "api://22222222-3333-4444-5555-666666666666", "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee")]
    [InlineData("document", "ISSUER", "sts.amazonaws.com", "system:serviceaccount:NAMESPACE:iot-gateway")]
    [InlineData("document", "sts.windows.net/TENANT-ID/", "api://APPLICATION-ID", "OBJECT-ID-OF-THE-IDENTITY")]
    public void The_gateways_role_trusts_one_subject_of_one_provider_for_one_audience(string source, string issuer, string audience, string subject)
    {
        const string Action = "sts:AssumeRoleWithWebIdentity";
        var trust = source == "template"
            ? Trust("GatewayRole", new() { ["Issuer"] = issuer, ["Audience"] = audience, ["Subject"] = subject })
            : Document("running-on-azure.md", $"oidc-provider/{issuer}\"");
        const string Providers = "Federated:arn:aws:iam::111122223333:oidc-provider/";
        var (provider, other) = (Providers + issuer, Providers + "other.example");

        Assert.Equal([Action], trust.Actions);
        Assert.True(trust.Trusts(provider, Action, Token(audience, subject)));
        foreach (var (principal, action, context) in ((string, string, Dictionary<string, string>)[])
            [
                (provider, Action, Token(audience, subject + "2")), (provider, Action, Token(audience, "*")), (provider, Action, Token("other", subject)),
                (provider, Action, new() { [$"{issuer}:aud"] = audience }), (provider, Action, new() { [$"{issuer}:sub"] = subject }), (provider, Action, []),
                (other, Action, Token(audience, subject)), ("AWS:arn:aws:iam::111122223333:root", Action, Token(audience, subject)),
                (provider, "sts:AssumeRole", Token(audience, subject)), ("Service:ecs-tasks.amazonaws.com", "sts:AssumeRole", []),
            ])
            Assert.False(trust.Trusts(principal, action, context), $"{principal} {action} {string.Join(' ', context)}");

        Dictionary<string, string> Token(string aud, string sub) => new() { [$"{issuer}:aud"] = aud, [$"{issuer}:sub"] = sub };
    }

    [Fact]
    public async Task The_template_trusts_the_service_account_of_the_overlay_for_the_audience_of_its_token()
    {
        var manifests = await Manifests.OfAsync("aws");
        var token = manifests.Pod.Volumes.SelectMany(static volume => volume.Projected?.Sources ?? []).Select(static source => source.ServiceAccountToken)
            .OfType<V1ServiceAccountTokenProjection>().Single();
        var subject = $"system:serviceaccount:{manifests.Deployment.Metadata.NamespaceProperty}:{manifests.Pod.ServiceAccountName}";

        var trust = Trust("GatewayRole", new() { ["Issuer"] = ClusterIssuer });

        Assert.Equal(manifests.Pod.ServiceAccountName, manifests.Single<V1ServiceAccount>().Metadata.Name);
        Assert.True(trust.Trusts(
            $"Federated:arn:aws:iam::111122223333:oidc-provider/{ClusterIssuer}", "sts:AssumeRoleWithWebIdentity",
            new Dictionary<string, string> { [$"{ClusterIssuer}:aud"] = token.Audience, [$"{ClusterIssuer}:sub"] = subject }));
    }

    [Fact]
    public void On_Pod_Identity_the_gateways_role_trusts_one_service_account_of_one_cluster()
    {
        const string Service = "Service:pods.eks.amazonaws.com";
        const string Cluster = "arn:aws:eks:eu-central-1:111122223333:cluster/main";
        var trust = Trust("GatewayRole", new() { ["Platform"] = "PodIdentity", ["Cluster"] = "main" });

        Assert.Equal(["sts:AssumeRole", "sts:TagSession"], trust.Actions);
        Assert.True(trust.Trusts(Service, "sts:AssumeRole", Pod(Cluster, "iot-gateway", "iot-gateway")));
        Assert.False(trust.Trusts(Service, "sts:AssumeRole"));
        Assert.False(trust.Trusts(Service, "sts:AssumeRole", Pod(Cluster + "-2", "iot-gateway", "iot-gateway")));
        Assert.False(trust.Trusts(Service, "sts:AssumeRole", Pod(Cluster, "default", "iot-gateway")));
        Assert.False(trust.Trusts(Service, "sts:AssumeRole", Pod(Cluster, "iot-gateway", "default")));
        Assert.False(trust.Trusts("Service:ec2.amazonaws.com", "sts:AssumeRole", Pod(Cluster, "iot-gateway", "iot-gateway")));

        static Dictionary<string, string> Pod(string cluster, string kubernetesNamespace, string account) => new()
        {
            ["aws:RequestTag/eks-cluster-arn"] = cluster,
            ["aws:RequestTag/kubernetes-namespace"] = kubernetesNamespace,
            ["aws:RequestTag/kubernetes-service-account"] = account,
        };
    }

    [Fact]
    public void On_ECS_the_gateways_role_trusts_tasks_of_its_account_and_region()
    {
        const string Service = "Service:ecs-tasks.amazonaws.com";
        var trust = Trust("GatewayRole", new() { ["Platform"] = "Ecs" });

        Assert.Equal(["sts:AssumeRole"], trust.Actions);
        Assert.True(trust.Trusts(Service, "sts:AssumeRole", Task("111122223333", "eu-central-1")));
        Assert.False(trust.Trusts(Service, "sts:AssumeRole"));
        Assert.False(trust.Trusts(Service, "sts:AssumeRole", Task("444455556666", "eu-central-1")));
        Assert.False(trust.Trusts(Service, "sts:AssumeRole", Task("111122223333", "us-east-1")));
        Assert.False(trust.Trusts("Service:lambda.amazonaws.com", "sts:AssumeRole", Task("111122223333", "eu-central-1")));

        static Dictionary<string, string> Task(string account, string region) => new()
        {
            ["aws:SourceAccount"] = account,
            ["aws:SourceArn"] = $"arn:aws:ecs:{region}:{account}:task/main/1",
        };
    }

    [Theory]
    [InlineData("""{ "Effect": "Allow", "NotAction": "iam:*", "Resource": "*" }""")]
    [InlineData("""{ "Effect": "Allow", "Action": "*", "NotResource": "a" }""")]
    [InlineData("""{ "Effect": "Allow", "Action": "*", "Resource": "*", "NotPrincipal": { "AWS": "*" } }""")]
    public void The_evaluator_refuses_to_judge_by_an_element_that_it_does_not_know(string statement)
    {
        Assert.Throws<NotSupportedException>(() => new IamPolicy(JsonNode.Parse($$"""{ "Version": "2012-10-17", "Statement": [{{statement}}] }""")!));
    }

    [Theory]
    [InlineData("iot:*", "arn:*", "iot:Connect", "arn:aws:iot:::client/a", true)]
    [InlineData("IOT:conn?ct", "arn:aws:iot:::client/*", "iot:Connect", "arn:aws:iot:::client/a/b", true)]
    [InlineData("iot:Connect", "arn:aws:iot:::client/A", "iot:Connect", "arn:aws:iot:::client/a", false)]
    [InlineData("*", "*", "iam:DeleteRole", "*", true)]
    public void The_evaluator_reads_wildcards_as_IAM_does_and_a_denial_wins(string actions, string resources, string action, string resource, bool allowed)
    {
        var allow = $$"""{ "Effect": "Allow", "Action": "{{actions}}", "Resource": "{{resources}}" }""";

        Assert.Equal(allowed, Policy(allow).Allows(action, resource));
        Assert.False(Policy($$"""{{allow}}, { "Effect": "Deny", "Action": "*", "Resource": "{{resource}}" }""").Allows(action, resource));

        static IamPolicy Policy(string statements) => new(JsonNode.Parse($$"""{ "Version": "2012-10-17", "Statement": [{{statements}}] }""")!);
    }

    private static IamPolicy Permissions(string role) =>
        new(Assert.Single(Properties(role)["Policies"]!.AsArray())!["PolicyDocument"]!);

    private static IamPolicy Trust(string role, Dictionary<string, string>? parameters = null) =>
        new(Properties(role, parameters)["AssumeRolePolicyDocument"]!);

    private static JsonObject Properties(string role, Dictionary<string, string>? parameters = null)
    {
        var properties = new CloudFormationTemplate(s_template, parameters ?? []).Properties(role);
        Assert.DoesNotContain(properties, static property => property.Key == "ManagedPolicyArns");
        return properties;
    }

    /// <summary>The policy of a document that has a text.</summary>
    private static IamPolicy Document(string name, string text) => new(JsonNode.Parse(Assert.Single(
        JsonBlock().Matches(File.ReadAllText(Path.Combine(Repository.Root, "docs", name))).Select(static match => match.Groups[1].Value),
        json => json.Contains(text, StringComparison.Ordinal)))!);

    [GeneratedRegex("```json\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex JsonBlock();
}
