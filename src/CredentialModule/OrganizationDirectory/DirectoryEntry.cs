using System.Runtime.CompilerServices;
using IotCredentials.Profiles;

namespace IotCredentials.OrganizationDirectory;

/// <summary>A cached response of the directory about one organization.</summary>
internal sealed class DirectoryEntry
{
    // The profiles at this place. They are compared by reference, and so are made once for each template.
    private readonly ConditionalWeakTable<ProfileTemplate, LocatedProfile> _profiles = [];

    public required string OrganizationId { get; init; }

    /// <summary>The time before the call.</summary>
    public required DateTimeOffset AskedAt { get; init; }

    /// <summary>Where the organization lives; null if the directory does not know it.</summary>
    public required OrganizationPlace? Place { get; init; }

    /// <summary>The profile at <see cref="Place"/>, which is not null.</summary>
    /// <param name="template">The profile.</param>
    /// <param name="isNew">Whether it was made by this call.</param>
    public LocatedProfile Locate(ProfileTemplate template, out bool isNew)
    {
        isNew = false;
        if (_profiles.TryGetValue(template, out var known)) return known;
        var located = new LocatedProfile(template.At(Place!, out var problem), problem);
        isNew = _profiles.TryAdd(template, located);
        return isNew ? located : _profiles.GetValue(template, _ => located);
    }
}

/// <summary>A profile at an organization's place; or the reason why that place does not fit the profile.</summary>
internal sealed record LocatedProfile(Profile? Profile, string? Problem);
