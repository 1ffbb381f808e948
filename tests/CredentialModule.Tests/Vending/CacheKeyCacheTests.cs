using System.Reflection;
using IotCredentials.Profiles;
using IotCredentials.Vending;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Options;
using Xunit;

namespace IotCredentials.Tests.Vending;

public sealed class CacheKeyCacheTests : IDisposable
{
    private const int MostEntries = 20;

    private static readonly VendContext s_inputs = Inputs(Profile());

    private readonly CacheKeyCache _keys = new(Options.Create(new IotCredentialsOptions { Cache = new CacheOptions { MaxEntries = MostEntries } }));
    private int _made;

    public void Dispose() => _keys.Dispose();

    [Fact]
    public void Of_EqualInputs_MakesTheKeyOnce()
    {
        Assert.Equal(KeyOf(s_inputs), KeyOf(s_inputs with { Organization = Organization("o-acme") }));
        Assert.Equal(1, _made);
    }

    [Fact]
    public void Of_AnyInputChanged_MakesItAnew()
    {
        var properties = typeof(VendContext).GetProperties().Where(property => property.CanWrite).ToArray();
        KeyOf(s_inputs);

        foreach (var property in properties)
        {
            var copy = s_inputs with { };
            property.SetValue(copy, Changed(property));
            KeyOf(copy);
        }

        Assert.Equal(properties.Length + 1, _made);
    }

    [Fact]
    public void Of_AProfileThatWasReadAnew_MakesItAnewHoweverAlikeTheyAre()
    {
        Assert.Equal(KeyOf(Inputs(Profile())), KeyOf(Inputs(Profile())));
        Assert.Equal(2, _made);
    }

    [Fact]
    public void Of_ManyOrganizations_KeepsNoMoreThanTheCacheHasEntries()
    {
        var all = Enumerable.Range(0, 10 * MostEntries).Select(i => s_inputs with { Organization = Organization($"o-{i}") }).ToArray();

        foreach (var inputs in all) KeyOf(inputs);
        _made = 0;
        foreach (var inputs in all) Assert.Equal(CacheKey.Of(inputs.ToAssumeRoleParameters()), KeyOf(inputs));

        Assert.True(_made >= all.Length - MostEntries, $"{_made} made");
    }

    private string KeyOf(VendContext inputs) => _keys.Of(inputs, made =>
    {
        _made++;
        return CacheKey.Of(made.ToAssumeRoleParameters());
    });

    private static VendContext Inputs(Profile profile) => new()
    {
        Profile = profile,
        Organization = Organization("o-acme"),
        Issuer = "https://id.example.com",
        Subject = "alice",
        SessionDuration = TimeSpan.FromHours(1),
        Environment = "Production",
        Generation = null,
        GatewayIdentity = "arn:aws:sts::111122223333:assumed-role/gateway",
        StsAddress = "",
    };

    private static object Changed(PropertyInfo property) => property.GetValue(s_inputs) switch
    {
        IotCredentials.Profiles.Profile => Profile(),
        OrganizationId => Organization("o-other"),
        TimeSpan span => span + TimeSpan.FromMinutes(15),
        string text => text + "x",
        null when property.PropertyType == typeof(string) => "x",
        _ => throw new NotSupportedException($"Say here how a {property.PropertyType} is changed."),
    };

    private static OrganizationId Organization(string id) =>
        Policies.Templates.Prefixed.TryParse(id, out var organization) ? organization : throw new ArgumentException("No id.", nameof(id));

    private static Profile Profile()
    {
        var options = new IotCredentialsOptions
        {
            OrganizationId = new() { Prefix = "o-", Characters = "A-Za-z0-9" },
            Profiles =
            {
                ["default"] = new()
                {
                    RoleArn = "arn:aws:iam::111122223333:role/iot-organization",
                    Region = "ap-northeast-1",
                    SessionPolicy = "policies/organization.json",
                },
            },
        };
        using var files = new PhysicalFileProvider(Path.Combine(AppContext.BaseDirectory, "appsettings"));
        return ProfileSet.Create(options, files, out _)!.Find("default", null)!.Located!;
    }
}
