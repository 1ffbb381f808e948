using System.Collections.Frozen;
using System.Text.Json;
using Gateway.Configuration;

namespace Gateway.Authentication;

/// <summary>
/// Reads organizations, roles and scopes from an object of claims, by the settings of their source. A claim in another format than the settings name is
/// treated as missing.
/// </summary>
internal sealed class ClaimReader(OrganizationIdFormat ids)
{
    public OrganizationClaimOptions? OrganizationClaim { get; init; }

    /// <summary>The organizations that the source may speak for, in addition to the limit in the claim's own options. Null: any.</summary>
    public IReadOnlyList<string>? Only { get; init; }

    public required string RoleClaim { get; init; }

    public required IReadOnlyList<string> ScopeClaims { get; init; }

    public FrozenSet<string> Organizations(JsonElement claims)
    {
        if (OrganizationClaim is not { Claim: { } claim } || !TryFind(claims, claim, out var value)) return [];
        var named = OrganizationClaim.Format switch
        {
            OrganizationClaimFormat.Array => Strings(value),
            OrganizationClaimFormat.Single => Single(value),
            OrganizationClaimFormat.Spaces => Split(value, ' '),
            OrganizationClaimFormat.Commas => Split(value, ','),
            OrganizationClaimFormat.Json => Embedded(value),
            OrganizationClaimFormat.ArrayOrSingle => value.ValueKind == JsonValueKind.Array ? Strings(value) : Single(value),
            _ => [],
        };
        return named
            .Where(name => ids.TryParse(name, out _) && (OrganizationClaim.Only?.Contains(name, StringComparer.Ordinal) ?? true)
                && (Only?.Contains(name, StringComparer.Ordinal) ?? true))
            .ToFrozenSet(StringComparer.Ordinal);
    }

    public FrozenSet<string> Roles(JsonElement claims) => StringOrStrings(claims, RoleClaim, splits: false).ToFrozenSet(StringComparer.Ordinal);

    public FrozenSet<string> Scopes(JsonElement claims) =>
        ScopeClaims.SelectMany(claim => StringOrStrings(claims, claim, splits: true)).ToFrozenSet(StringComparer.Ordinal);

    /// <summary>
    /// Finds the claim of exactly this name, or else takes the name as a path of names with dots between them. A name in the path may hold dots itself: in each
    /// object the longest name that is there is followed, and no other, so that one name never has two meanings for the same claims.
    /// </summary>
    /// <param name="claims">The claims, read without duplicate members. Anything but an object holds none.</param>
    /// <param name="name">The claim's name, or the path to it.</param>
    /// <param name="value">The claim's value.</param>
    public static bool TryFind(JsonElement claims, string name, out JsonElement value)
    {
        value = claims;
        var path = name.AsSpan();
        while (value.ValueKind == JsonValueKind.Object)
        {
            var end = path.Length;
            JsonElement member;
            while (!value.TryGetProperty(path[..end], out member))
            {
                end = path[..end].LastIndexOf('.');
                if (end > 0) continue;
                value = default;
                return false;
            }

            value = member;
            if (end == path.Length) return true;
            path = path[(end + 1)..];
        }

        value = default;
        return false;
    }

    private static IEnumerable<string> Strings(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String)
            ? value.EnumerateArray().Select(item => item.GetString()!)
            : [];

    private static string[] Single(JsonElement value) => value.ValueKind == JsonValueKind.String ? [value.GetString()!] : [];

    // People write lists with spaces around the commas. Other white space belongs to no format.
    private static IEnumerable<string> Split(JsonElement value, char separator) =>
        Single(value).SelectMany(text => text.Split(separator, StringSplitOptions.RemoveEmptyEntries)).Select(part => part.Trim(' '));

    private static IEnumerable<string> Embedded(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String) return [];
        try
        {
            using var document = JsonDocument.Parse(value.GetString()!);
            return [.. Strings(document.RootElement)];
        }
        catch (JsonException)
        {
            return [];
        }
    }

    private static IEnumerable<string> StringOrStrings(JsonElement claims, string claim, bool splits) =>
        !TryFind(claims, claim, out var value) ? []
        : value.ValueKind == JsonValueKind.Array ? Strings(value)
        : splits ? Split(value, ' ')
        : Single(value);
}
