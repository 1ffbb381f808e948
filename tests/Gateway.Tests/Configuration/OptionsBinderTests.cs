using Gateway.Configuration;
using Gateway.Configuration.Schema;
using Gateway.Configuration.Tree;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>Options are not bound by ASP.NET Core's binder. The second test of each pair shows why, and fails when that binder no longer differs.</summary>
public sealed class OptionsBinderTests
{
    [Fact]
    public void A_list_replaces_the_default_list()
    {
        var section = new ObjectNode("", false);
        section.Children["Methods"] = new ListNode("", false, [new ScalarNode("", false, "GET")]);

        Assert.Equal(["GET"], OptionsBinder.Bind<EdgeOptions>(section).Methods);
    }

    [Fact]
    public void The_frameworks_binder_appends_it() =>
        Assert.Equal([.. new EdgeOptions().Methods, "GET"], Framework<EdgeOptions>(("Methods:0", "GET")).Methods);

    [Fact]
    public void An_empty_list_replaces_it_too()
    {
        var section = new ObjectNode("", false);
        section.Children["ExposedHeaders"] = new ListNode("", false, []);

        Assert.Empty(OptionsBinder.Bind<CorsPolicyOptions>(section).ExposedHeaders);
    }

    // An empty list of a JSON file is an empty text in IConfiguration.
    [Fact]
    public void The_frameworks_binder_keeps_the_default() =>
        Assert.Equal(new CorsPolicyOptions().ExposedHeaders, Framework<CorsPolicyOptions>(("ExposedHeaders", "")).ExposedHeaders);

    [Fact]
    public void A_value_that_the_schema_rejects_leaves_the_default()
    {
        Assert.Equal(TimeSpan.FromSeconds(1.5), ClusterMetadata.Of(new Dictionary<string, string> { ["IdleTimeout"] = "soon" }).IdleTimeout);
        Assert.Equal(100, OptionsBinder.Bind<EdgeOptions>(Section("UpgradesPerCaller", "many")).UpgradesPerCaller);
    }

    [Fact]
    public void The_frameworks_binder_throws() =>
        Assert.Throws<InvalidOperationException>(() => Framework<ClusterMetadata>(("IdleTimeout", "soon")));

    [Fact]
    public void A_time_has_one_meaning()
    {
        Assert.Equal(TimeSpan.FromSeconds(1.5), OptionsBinder.Bind<ClusterMetadata>(Section("IdleTimeout", "30")).IdleTimeout);
        Assert.Equal(TimeSpan.FromSeconds(30), OptionsBinder.Bind<ClusterMetadata>(Section("IdleTimeout", "00:00:30")).IdleTimeout);
    }

    [Fact]
    public void The_frameworks_binder_reads_a_number_as_days() =>
        Assert.Equal(TimeSpan.FromDays(30), Framework<ClusterMetadata>(("IdleTimeout", "30")).IdleTimeout);

    private static ObjectNode Section(string name, string value)
    {
        var section = new ObjectNode("", false);
        section.Children[name] = new ScalarNode("", false, value);
        return section;
    }

    private static T Framework<T>(params (string Key, string? Value)[] values) where T : new() =>
        new ConfigurationBuilder().AddInMemoryCollection(values.Select(value => KeyValuePair.Create(value.Key, value.Value))).Build().Get<T>() ?? new T();
}
