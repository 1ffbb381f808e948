using System.Text.Json.Nodes;
using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>Weights that would not do what their author meant.</summary>
public sealed class WeightRuleTests : IDisposable
{
    private const string Cluster = "ReverseProxy:Clusters:organizations";
    private const string OfA = Cluster + ":Destinations:a:Metadata:Weight";
    private const string OfB = Cluster + ":Destinations:b:Metadata:Weight";
    private readonly ConfigurationFixture _configuration = new();

    public void Dispose() => _configuration.Dispose();

    [Theory]
    [InlineData("Weighted", "\"90\"", "\"ten\"", OfB, "Write a whole number")]
    [InlineData("Weighted", "\"90\"", "\"\"", OfB, "Write a whole number")]
    [InlineData("Weighted", "\"90\"", "\"0.5\"", OfB, "Write a whole number")]
    [InlineData("Weighted", "\"90\"", "\"10%\"", OfB, "Write a whole number")]
    [InlineData("Weighted", "\"90\"", "\"99999999999\"", OfB, "Write a whole number")]
    [InlineData("Weighted", "\"90\"", "-1", OfB, "from 0 to 1000000")]
    [InlineData("WeightedSticky", "\"90\"", "\"1000001\"", OfB, "from 0 to 1000000")]
    [InlineData("Weighted", "\"90\"", null, OfB, "is missing")]
    [InlineData("WeightedSticky", null, "10", OfA, "is missing")]
    [InlineData("Weighted", "\"0\"", "\"0\"", Cluster + ":Destinations", "every request would get 503")]
    [InlineData("RoundRobin", "\"90\"", null, OfA, "has no effect with the policy RoundRobin")]
    [InlineData(null, null, "\"1\"", OfB, "has no effect with the policy PowerOfTwoChoices, the default")]
    [InlineData("Wieghted", "\"90\"", "\"10\"", Cluster + ":LoadBalancingPolicy", "Did you mean \"Weighted\"?")]
    [InlineData("WeightedStiky", "\"90\"", "\"10\"", Cluster + ":LoadBalancingPolicy", "Did you mean \"WeightedSticky\"?")]
    [InlineData("Canary", "\"90\"", "\"10\"", Cluster + ":LoadBalancingPolicy", "there is no such policy")]
    public void A_weight_that_is_none_or_is_not_read_is_an_error_of_its_key(string? policy, string? a, string? b, string key, string message)
    {
        Write(policy, a, b);

        var error = _configuration.LoadBad();

        Assert.Equal(key, error.Key);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Weighted", "\"90\"", "\"10\"")]
    [InlineData("Weighted", "90", "0")]
    [InlineData("weighted", "\"1000000\"", "\"1\"")]
    [InlineData("WeightedSticky", null, null)]
    [InlineData("Weighted", null, null)]
    [InlineData("RoundRobin", null, null)]
    public void Weights_in_their_bounds_for_all_destinations_or_none_are_accepted(string policy, string? a, string? b)
    {
        Write(policy, a, b);

        _configuration.LoadGood();
    }

    [Theory]
    [InlineData("Wieght", "Did you mean \"Weight\"?")]
    [InlineData("Weigth", "Did you mean \"Weight\"?")]
    public void A_misspelt_name_is_an_error_and_an_operators_own_name_is_not(string name, string message)
    {
        Write("Weighted", null, null);
        _configuration.Set($"{Cluster}:Destinations:a:Metadata:Zone", "\"eu\"");
        _configuration.LoadGood();

        _configuration.Set($"{Cluster}:Destinations:a:Metadata:{name}", "\"1\"");

        Assert.Contains(message, _configuration.LoadBad().Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Weighted", "\"00:01:00\"", null)]
    [InlineData("WeightedSticky", "\"01:00:00\"", null)]
    [InlineData("RoundRobin", "\"00:00:00\"", null)]
    [InlineData("Weighted", "\"01:00:01\"", "Write a time up to 01:00:00")]
    [InlineData("Weighted", "\"-00:00:01\"", "Write a time up to 01:00:00")]
    [InlineData("Weighted", "\"30\"", "hh:mm:ss")]
    [InlineData("LeastRequests", "\"00:01:00\"", "has no effect with the policy LeastRequests")]
    public void A_slow_start_is_up_to_an_hour_and_needs_weights(string policy, string value, string? message)
    {
        Write(policy, null, null);
        _configuration.Set($"{Cluster}:Metadata:SlowStart", value);

        if (message is null)
        {
            _configuration.LoadGood();
            return;
        }

        var error = _configuration.LoadBad();
        Assert.Equal($"{Cluster}:Metadata:SlowStart", error.Key);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Session_affinity_beside_weights_is_a_warning()
    {
        Write("Weighted", "1", "1");
        _configuration.Set($"{Cluster}:SessionAffinity", """{ "Enabled": true, "Policy": "HashCookie", "AffinityKeyName": "instance" }""");

        var result = _configuration.Load();

        Assert.NotNull(result.Snapshot);
        Assert.Equal($"{Cluster}:SessionAffinity:Enabled", Assert.Single(result.Findings).Key);
    }

    private void Write(string? policy, string? a, string? b)
    {
        _configuration.Set($"{Cluster}:LoadBalancingPolicy", policy is null ? null : $"\"{policy}\"");
        foreach (var (name, port, weight) in new[] { ("a", 5001, a), ("b", 5002, b) })
        {
            var destination = new JsonObject { ["Address"] = $"http://localhost:{port}/" };
            if (weight is not null) destination["Metadata"] = new JsonObject { ["Weight"] = JsonNode.Parse(weight) };
            _configuration.Set($"{Cluster}:Destinations:{name}", destination.ToJsonString());
        }
    }
}
