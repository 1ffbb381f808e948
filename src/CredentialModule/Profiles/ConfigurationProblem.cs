namespace CredentialModule.Profiles;

/// <summary>Something in the section that is wrong, or that an operator should know.</summary>
/// <param name="Key">The key's path below the section.</param>
/// <param name="Message">What is wrong, and what to write instead.</param>
/// <param name="IsWarning">Whether the section can be used all the same.</param>
internal sealed record ConfigurationProblem(string Key, string Message, bool IsWarning = false);
