using System.Security.Cryptography;
using System.Text;
using IotCredentials.Failures;

namespace IotCredentials.Aws;

/// <summary>The sources that the AWS SDK looks for credentials in, in its order.</summary>
internal enum AwsSourceKind
{
    /// <summary><c>AWS_ACCESS_KEY_ID</c> and <c>AWS_SECRET_ACCESS_KEY</c>.</summary>
    Keys,

    /// <summary><c>AWS_WEB_IDENTITY_TOKEN_FILE</c> and <c>AWS_ROLE_ARN</c>, or a profile with the same.</summary>
    WebIdentity,

    /// <summary>A profile with keys, or with a role to assume.</summary>
    Profile,

    /// <summary>A profile that signs in by IAM Identity Center.</summary>
    SingleSignOn,

    /// <summary>A profile whose keys a program prints.</summary>
    Process,

    /// <summary><c>AWS_CONTAINER_CREDENTIALS_RELATIVE_URI</c> or <c>…_FULL_URI</c>: ECS, EKS Pod Identity.</summary>
    Container,

    /// <summary>The instance metadata service, which the SDK queries if nothing else is configured.</summary>
    InstanceMetadata,
}

/// <summary>
/// Determines which source of credentials the environment selects for the AWS SDK, and its configuration errors. The SDK silently skips a source that it cannot
/// read and continues to the instance metadata, which does not respond on a machine that has none.
/// </summary>
internal sealed class AwsSources
{
    private const string DefaultProfile = "default";
    private const string UseAnother = "use another source of credentials";

    // A profile without any of these keys only sets the region and the like, and the SDK continues its search.
    private static readonly string[] s_ofCredentials =
        ["aws_access_key_id", "role_arn", "login_session", "sso_session", "sso_start_url", "web_identity_token_file", "credential_process"];

    private readonly IReadOnlyDictionary<string, string?> _variables;

    private AwsSources(IReadOnlyDictionary<string, string?> variables)
    {
        _variables = variables;
        (Kind, Name, Problem) = Find();
    }

    /// <summary>The source that the SDK uses.</summary>
    public AwsSourceKind Kind { get; }

    /// <summary>The source in words: the variable or the profile that names it.</summary>
    public string Name { get; }

    /// <summary>The problem of the source; null if none is known.</summary>
    public string? Problem { get; }

    public static AwsSources Of(IReadOnlyDictionary<string, string?> variables) => new(variables);

    public static AwsSources OfProcess() => new(Environment.GetEnvironmentVariables()
        .Cast<System.Collections.DictionaryEntry>()
        .ToDictionary(static variable => (string)variable.Key, static variable => (string?)variable.Value, StringComparer.Ordinal));

    private (AwsSourceKind, string, string?) Find()
    {
        var (key, secret) = (Value("AWS_ACCESS_KEY_ID"), Value("AWS_SECRET_ACCESS_KEY"));
        if (key is not null || secret is not null)
        {
            return (AwsSourceKind.Keys, "AWS_ACCESS_KEY_ID", key is null ? "AWS_SECRET_ACCESS_KEY is set and AWS_ACCESS_KEY_ID is not"
                : secret is null ? "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not" : null);
        }

        if (Value("AWS_WEB_IDENTITY_TOKEN_FILE") is { } token)
        {
            return (AwsSourceKind.WebIdentity, "AWS_WEB_IDENTITY_TOKEN_FILE", FileProblem("AWS_WEB_IDENTITY_TOKEN_FILE", token)
                ?? (Value("AWS_ROLE_ARN") is null ? "AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not" : null));
        }

        var named = Value("AWS_PROFILE");
        var sections = ReadSections(out var files, out var unreadable);
        if (named is not null && unreadable is not null)
            return NoProfile(named, $"and {string.Join(" or ", files)} cannot be read ({unreadable})");
        var profile = Profile(sections, named ?? DefaultProfile);
        if (profile is not null && s_ofCredentials.Any(profile.ContainsKey)) return FindIn(sections, named ?? DefaultProfile, profile);
        if (named is not null && profile is null) return NoProfile(named, $"which is in none of {string.Join(", ", files)}");

        string[] addresses = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];
        var variable = Array.Find(addresses, address => Value(address) is not null);
        if (variable is null)
        {
            var kept = Value("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") is { } unused ? FileProblem("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", unused) : null;
            return (AwsSourceKind.InstanceMetadata, "the instance metadata", kept);
        }

        return (AwsSourceKind.Container, variable,
            Value("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") is { } file ? FileProblem("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file) : null);
    }

    private static (AwsSourceKind, string, string?) NoProfile(string name, string problem) =>
        (AwsSourceKind.Profile, $"the profile {name}", $"AWS_PROFILE names {name}, {problem}");

    private static (AwsSourceKind, string, string?) FindIn(
        Dictionary<string, Dictionary<string, string>> sections, string name, Dictionary<string, string> profile)
    {
        var shown = $"the profile {name}";
        if (Has("aws_access_key_id") && !Has("role_arn"))
        {
            return (AwsSourceKind.Profile, shown, !Has("aws_secret_access_key") ? $"{shown} has an aws_access_key_id and no aws_secret_access_key"
                : profile["aws_access_key_id"].Any(char.IsWhiteSpace)
                    ? $"the aws_access_key_id of {shown} holds a blank: what follows a value on its line is a part of it, also a comment"
                    : null);
        }

        if (Has("login_session"))
        {
            return (AwsSourceKind.SingleSignOn, shown, HasAssembly("AWSSDK.Signin") ? null
                : $"{shown} signs in by `aws login`, which needs AWSSDK.Signin, and that is not part of this program: {UseAnother}");
        }

        if (Has("sso_session") || Has("sso_start_url")) return (AwsSourceKind.SingleSignOn, shown, SingleSignOnProblem(shown, name, profile));
        if (Has("web_identity_token_file"))
        {
            var named = $"web_identity_token_file of {shown}";
            return (AwsSourceKind.WebIdentity, named, FileProblem(named, profile["web_identity_token_file"])
                ?? (Has("role_arn") ? null : $"{shown} has a web_identity_token_file and no role_arn"));
        }

        if (Has("mfa_serial"))
            return (AwsSourceKind.Profile, shown, $"{shown} asks for a code (mfa_serial), which a service cannot enter: {UseAnother}");
        if (Has("credential_process")) return (AwsSourceKind.Process, $"credential_process of {shown}", null);
        return (AwsSourceKind.Profile, shown, SourceProblem(sections, name));

        bool Has(string key) => profile.ContainsKey(key);
    }

    private static string? SingleSignOnProblem(string shown, string name, Dictionary<string, string> profile)
    {
        if (!HasAssembly("AWSSDK.SSO") || !HasAssembly("AWSSDK.SSOOIDC"))
            return $"{shown} signs in by IAM Identity Center, which needs the packages AWSSDK.SSO and AWSSDK.SSOOIDC: add both, or {UseAnother}";
        // AWS derives the file's name with SHA-1. It protects no secret.
#pragma warning disable CA5350
        var cached = Convert.ToHexStringLower(SHA1.HashData(Encoding.UTF8.GetBytes(profile.GetValueOrDefault("sso_session") ?? profile["sso_start_url"])));
#pragma warning restore CA5350
        var file = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".aws", "sso", "cache", $"{cached}.json");
        return File.Exists(file) ? null
            : $"{shown} signs in by IAM Identity Center, and there is no sign-in: run `aws sso login --profile {name}` as the gateway's user";
    }

    private static string? SourceProblem(Dictionary<string, Dictionary<string, string>> sections, string name)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (seen.Add(name) && Profile(sections, name) is { } profile && profile.TryGetValue("source_profile", out var source))
        {
            if (Profile(sections, source) is not { } next) return $"source_profile of the profile {name} names {source}, which is not there";
            // A profile that assumes a role with its own keys names itself as the source.
            if (source == name && next.ContainsKey("aws_access_key_id")) return null;
            if (seen.Contains(source)) return $"source_profile of the profile {name} leads back to itself";
            name = source;
        }

        return null;
    }

    private Dictionary<string, Dictionary<string, string>> ReadSections(out string[] files, out string? problem)
    {
        var folder = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".aws");
        files = [Value("AWS_SHARED_CREDENTIALS_FILE") ?? Path.Combine(folder, "credentials"), Value("AWS_CONFIG_FILE") ?? Path.Combine(folder, "config")];
        var sections = new Dictionary<string, Dictionary<string, string>>(StringComparer.Ordinal);
        problem = null;
        try
        {
            foreach (var file in files.Where(static file => File.Exists(file) && !SpecialFile.Is(file)))
            {
                var section = NewSection();
                foreach (var line in File.ReadLines(file).Where(static line => line.Length > 0 && line[0] is not ('#' or ';')))
                {
                    if (line.Trim() is ['[', .. var title, ']'])
                    {
                        var name = NameOf(title.Trim());
                        if (!sections.TryGetValue(name, out section)) sections[name] = section = NewSection();
                    }
                    else if (line.Split('=', 2) is [var key, var value] && !char.IsWhiteSpace(line[0]))
                    {
                        section.TryAdd(key.Trim(), value.Trim());
                    }
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = e.GetType().Name;
        }

        return sections;
    }

    // The SDK compares keys without regard to case.
    private static Dictionary<string, string> NewSection() => new(StringComparer.OrdinalIgnoreCase);

    private static string NameOf(string title) => title.Split((char[]?)null, 2, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) is
        ["profile", var name] ? $"profile {name}" : title;

    // The config file has [profile NAME], the credentials file has [NAME].
    private static Dictionary<string, string>? Profile(Dictionary<string, Dictionary<string, string>> sections, string name) =>
        (sections.GetValueOrDefault(name), sections.GetValueOrDefault($"profile {name}")) switch
        {
            (null, var one) => one,
            (var one, null) => one,
            var (one, other) => one.Concat(other.Where(pair => !one.ContainsKey(pair.Key))).ToDictionary(StringComparer.OrdinalIgnoreCase),
        };

    private static bool HasAssembly(string name)
    {
        try
        {
            System.Reflection.Assembly.Load(name);
            return true;
        }
        catch (Exception e) when (e is FileNotFoundException or FileLoadException or BadImageFormatException)
        {
            return false;
        }
    }

    private static string? FileProblem(string named, string file)
    {
        if (SpecialFile.Is(file)) return $"{named} names {file}, which {SpecialFile.Problem.TrimEnd('.')}";
        try
        {
            using var stream = File.OpenRead(file);
            int read;
            do read = stream.ReadByte();
            while (read >= 0 && char.IsWhiteSpace((char)read));
            return read < 0 ? $"{named} names {file}, which is empty" : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return $"{named} names {file}, which is not there";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return $"{named} names {file}, which cannot be read ({e.GetType().Name})";
        }
    }

    private string? Value(string name) => _variables.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;
}
