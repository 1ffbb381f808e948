namespace IotCredentials.Policies;

/// <summary>The names that a template may hold in braces.</summary>
[Flags]
internal enum Placeholders
{
    None = 0,
    OrganizationId = 1,
    AccountId = 2,
    Region = 4,
    Partition = 8,
    All = OrganizationId | AccountId | Region | Partition,
}

/// <summary>The values of a template's placeholders in one rendering.</summary>
/// <param name="OrganizationId">The organization that the session is for.</param>
/// <param name="AccountId">The account of the role, 12 digits.</param>
/// <param name="Region">The region of the profile.</param>
/// <param name="Partition">The partition of the role, such as <c>aws</c>.</param>
internal sealed record TemplateValues(OrganizationId OrganizationId, string AccountId, string Region, string Partition)
{
    public string this[Placeholders name] => name switch
    {
        Placeholders.OrganizationId => OrganizationId.Value,
        Placeholders.AccountId => AccountId,
        Placeholders.Region => Region,
        Placeholders.Partition => Partition,
        _ => throw new ArgumentOutOfRangeException(nameof(name)),
    };
}
