namespace Gateway.Commands;

/// <summary>
/// A source of AWS credentials that the environment names and that cannot be read. The AWS SDK passes over it without a word and goes on to the instance
/// metadata, which does not answer where there is none.
/// </summary>
internal static class AwsSources
{
    /// <summary>The variable and what is wrong with it; null when nothing is known to be.</summary>
    public static string? ProblemOf(IReadOnlyDictionary<string, string?> variables)
    {
        var (key, secret) = (Value("AWS_ACCESS_KEY_ID"), Value("AWS_SECRET_ACCESS_KEY"));
        if (key is not null && secret is not null) return null;
        if (key is not null) return "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not";
        if (secret is not null) return "AWS_SECRET_ACCESS_KEY is set and AWS_ACCESS_KEY_ID is not";

        if (Value("AWS_WEB_IDENTITY_TOKEN_FILE") is { } webIdentity)
        {
            return FileProblem("AWS_WEB_IDENTITY_TOKEN_FILE", webIdentity)
                ?? (Value("AWS_ROLE_ARN") is null ? "AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not" : null);
        }

        if (Value("AWS_PROFILE") is { } profile) return ProfileProblem(profile);
        return Value("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") is { } container ? FileProblem("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", container) : null;

        string? Value(string name) => variables.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;

        string? ProfileProblem(string name)
        {
            var folder = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".aws");
            string[] files =
                [Value("AWS_SHARED_CREDENTIALS_FILE") ?? Path.Combine(folder, "credentials"), Value("AWS_CONFIG_FILE") ?? Path.Combine(folder, "config")];
            try
            {
                var lines = files.Where(File.Exists).SelectMany(File.ReadLines).Select(static line => line.Trim());
                return lines.Any(line => line == $"[{name}]" || line == $"[profile {name}]")
                    ? null
                    : $"AWS_PROFILE names {name}, which is in none of {string.Join(", ", files)}";
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return $"AWS_PROFILE names {name}, and {string.Join(" or ", files)} cannot be read ({e.GetType().Name})";
            }
        }
    }

    private static string? FileProblem(string variable, string file)
    {
        try
        {
            using var stream = File.OpenRead(file);
            return stream.ReadByte() < 0 ? $"{variable} names {file}, which is empty" : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return $"{variable} names {file}, which is not there";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return $"{variable} names {file}, which cannot be read ({e.GetType().Name})";
        }
    }
}
