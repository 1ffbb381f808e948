using System.Reflection;
using Gateway.Authorization;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Gateway.Tests.Authorization;

/// <summary>
/// The framework registers its authorization services as transient. The gateway shares them between requests, which is safe while they have no state.
/// </summary>
public sealed class FrameworkServiceTests
{
    private static readonly Type[] s_shared =
    [
        typeof(IPolicyEvaluator), typeof(IAuthorizationService), typeof(DefaultAuthorizationService), typeof(IAuthorizationHandlerProvider),
        typeof(IAuthorizationHandlerContextFactory), typeof(IAuthorizationEvaluator),
    ];

    [Fact]
    public void Shared_services_have_no_state()
    {
        var services = Services();

        Assert.All(s_shared, type =>
        {
            var service = services.Last(each => each.ServiceType == type);
            Assert.Equal(ServiceLifetime.Singleton, service.Lifetime);
            AssertStateless(service.ImplementationType!);
        });
    }

    // The shared handler provider keeps the handlers that it was created with.
    [Fact]
    public void Handlers_have_no_state_either() =>
        Assert.All(Services().Where(service => service.ServiceType == typeof(IAuthorizationHandler)), service => AssertStateless(service.ImplementationType!));

    private static void AssertStateless(Type type)
    {
        const BindingFlags Declared = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        for (var declaring = type; declaring is not null; declaring = declaring.BaseType)
            Assert.All(declaring.GetFields(Declared), field => Assert.True(field.IsInitOnly, $"{declaring}.{field.Name} can change"));
    }

    private static IServiceCollection Services()
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.AddPolicies();
        return builder.Services;
    }
}
