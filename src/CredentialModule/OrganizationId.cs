namespace IotCredentials;

/// <summary>
/// The id of an organization. Ids are compared by ordinal, so case counts. Only <see cref="OrganizationIdFormat"/> makes instances, so every instance is a
/// valid id and can be inserted into an ARN or a topic without another check.
/// </summary>
public sealed class OrganizationId : IEquatable<OrganizationId>
{
    internal OrganizationId(string value) => Value = value;

    /// <summary>The id as it was sent.</summary>
    public string Value { get; }

    /// <summary>Whether both are the same id.</summary>
    public static bool operator ==(OrganizationId? left, OrganizationId? right) => left is null ? right is null : left.Equals(right);

    /// <summary>Whether they are different ids.</summary>
    public static bool operator !=(OrganizationId? left, OrganizationId? right) => !(left == right);

    /// <inheritdoc />
    public bool Equals(OrganizationId? other) => other is not null && string.Equals(Value, other.Value, StringComparison.Ordinal);

    /// <inheritdoc />
    public override bool Equals(object? obj) => Equals(obj as OrganizationId);

    /// <inheritdoc />
    public override int GetHashCode() => Value.GetHashCode(StringComparison.Ordinal);

    /// <summary>The id.</summary>
    public override string ToString() => Value;
}
