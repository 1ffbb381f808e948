namespace IotCredentials;

/// <summary>The rules that a template can break, by the names that operators and tests know.</summary>
internal static class FindingCode
{
    // The form of organization ids.
    public const string Range = nameof(Range);
    public const string IdAlphabet = nameof(IdAlphabet);
    public const string IdLength = nameof(IdLength);

    // The document.
    public const string NotJson = nameof(NotJson);
    public const string Depth = nameof(Depth);
    public const string DuplicateMember = nameof(DuplicateMember);
    public const string UnknownMember = nameof(UnknownMember);
    public const string MissingMember = nameof(MissingMember);
    public const string MemberType = nameof(MemberType);
    public const string ConflictingMembers = nameof(ConflictingMembers);
    public const string EmptyList = nameof(EmptyList);
    public const string Version = nameof(Version);
    public const string Effect = nameof(Effect);
    public const string Sid = nameof(Sid);
    public const string Condition = nameof(Condition);
    public const string Length = nameof(Length);

    // Any text.
    public const string Character = nameof(Character);
    public const string PolicyVariable = nameof(PolicyVariable);
    public const string StrayBrace = nameof(StrayBrace);
    public const string UnknownPlaceholder = nameof(UnknownPlaceholder);

    // Allow statements.
    public const string NothingAllowed = nameof(NothingAllowed);
    public const string NotInAllow = nameof(NotInAllow);
    public const string Action = nameof(Action);
    public const string Inert = nameof(Inert);

    // One resource.
    public const string ArnShape = nameof(ArnShape);
    public const string NoOrganization = nameof(NoOrganization);
    public const string NotClosed = nameof(NotClosed);
    public const string WildcardBeforeOrganization = nameof(WildcardBeforeOrganization);
    public const string PlaceholderInResource = nameof(PlaceholderInResource);
    public const string FilterGrammar = nameof(FilterGrammar);
    public const string ReservedTopic = nameof(ReservedTopic);
    public const string OrganizationIsRuleName = nameof(OrganizationIsRuleName);
    public const string OrganizationIsShareGroup = nameof(OrganizationIsShareGroup);

    // Two resources.
    public const string Collision = nameof(Collision);

    // Topics that every organization may read.
    public const string SharedTopic = nameof(SharedTopic);
    public const string SharedTopicPublished = nameof(SharedTopicPublished);
    public const string SharedTopicOverlap = nameof(SharedTopicOverlap);
}
