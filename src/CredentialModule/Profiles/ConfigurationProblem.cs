namespace IotCredentials.Profiles;

/// <summary>An error in the section, or a warning for the operator.</summary>
/// <param name="Key">The key's path below the section.</param>
/// <param name="Message">The problem and the remedy.</param>
/// <param name="IsWarning">Whether the section can still be used.</param>
internal sealed record ConfigurationProblem(string Key, string Message, bool IsWarning = false);
