using System.Reflection;

namespace Gateway.Configuration.Schema;

/// <summary>What a list means that is written out without items.</summary>
internal enum EmptyList
{
    /// <summary>It is an error. Left out, the list restricts nothing or is required, so one without items is a value that was lost.</summary>
    Error,

    /// <summary>It grants nothing, and neither does <c>null</c>.</summary>
    None,

    /// <summary>It grants nothing, and <c>null</c> spells out that nothing is restricted.</summary>
    NoneAndNullIsAny,

    /// <summary>In a file, it spells out that nothing is restricted. An empty variable is an error, and so is <c>null</c>.</summary>
    Any,
}

/// <summary>The lists that may be written out without items.</summary>
internal static class EmptyLists
{
    private static readonly Dictionary<(Type, string), EmptyList> s_meanings = new()
    {
        [(typeof(SchemeOptions), nameof(SchemeOptions.ValidIssuers))] = EmptyList.None,
        [(typeof(OrganizationClaimOptions), nameof(OrganizationClaimOptions.Only))] = EmptyList.NoneAndNullIsAny,
        [(typeof(AzureAdTenantOptions), nameof(AzureAdTenantOptions.Only))] = EmptyList.NoneAndNullIsAny,
        [(typeof(ApiKeyOptions), nameof(ApiKeyOptions.Organizations))] = EmptyList.None,
        [(typeof(ApiKeyOptions), nameof(ApiKeyOptions.Roles))] = EmptyList.None,
        [(typeof(ApiKeyOptions), nameof(ApiKeyOptions.Scopes))] = EmptyList.None,
        [(typeof(ApiKeyOptions), nameof(ApiKeyOptions.IpAllow))] = EmptyList.Any,
        [(typeof(CorsPolicyOptions), nameof(CorsPolicyOptions.Methods))] = EmptyList.None,
        [(typeof(CorsPolicyOptions), nameof(CorsPolicyOptions.Headers))] = EmptyList.None,
        [(typeof(CorsPolicyOptions), nameof(CorsPolicyOptions.ExposedHeaders))] = EmptyList.None,
        [(typeof(EdgeOptions), nameof(EdgeOptions.TrustedProxies))] = EmptyList.None,
        [(typeof(ServiceOptions), nameof(ServiceOptions.Http))] = EmptyList.None,
        [(typeof(ServiceOptions), nameof(ServiceOptions.Https))] = EmptyList.None,
        [(typeof(DirectoryOptions), nameof(DirectoryOptions.AllowedRegions))] = EmptyList.Any,
        [(typeof(ProfileOptions), nameof(ProfileOptions.SharedTopics))] = EmptyList.None,
    };

    /// <summary>Returns what the list of an options record means without items.</summary>
    public static EmptyList Of(PropertyInfo property) => s_meanings.GetValueOrDefault((property.DeclaringType!, property.Name));
}
