using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Sandbox;

/// <summary>Checks the limits that the STS API reference publishes for AssumeRole's parameters, with STS's messages.</summary>
internal static partial class AssumeRoleLimits
{
    private const int DefaultDuration = 3600;

    // AWS publishes neither the packed format nor its size limit. Deflate with this many bytes stands in for both: a policy of 2,048 characters alone never
    // exceeds it, while 50 tags of full length do, as at AWS.
    private const int PackedBytes = 2048;

    /// <summary>Checks all parameters, and returns the session's duration and the packed policy size.</summary>
    public static (TimeSpan Duration, int PackedPolicySize) Check(AssumeRoleInput input, bool roleChaining)
    {
        Length("roleArn", input.RoleArn, 20, 2048, required: true);
        if (!RoleArn().IsMatch(input.RoleArn!)) throw AwsErrorException.Validation($"{input.RoleArn} is invalid");
        Length("roleSessionName", input.RoleSessionName, 2, 64, required: true);
        Pattern("roleSessionName", input.RoleSessionName, Name());
        Length("externalId", input.ExternalId, 2, 1224);
        Pattern("externalId", input.ExternalId, ExternalId());
        Length("sourceIdentity", input.SourceIdentity, 2, 64);
        Pattern("sourceIdentity", input.SourceIdentity, Name());
        if (input.SourceIdentity?.StartsWith("aws:", StringComparison.OrdinalIgnoreCase) == true)
            throw Constraint("sourceIdentity", input.SourceIdentity, "Member must not begin with the reserved prefix aws:");
        var duration = Duration(input, roleChaining);
        CheckTags(input);
        CheckPolicy(input.Policy);
        return (duration, PackedPolicySize(input));
    }

    private static TimeSpan Duration(AssumeRoleInput input, bool roleChaining)
    {
        if (input.DurationText is not null && input.DurationSeconds is null)
            throw new AwsErrorException("MalformedInput", StatusCodes.Status400BadRequest, "DurationSeconds is not a whole number");
        var seconds = input.DurationSeconds ?? DefaultDuration;
        if (seconds < 900) throw Constraint("durationSeconds", seconds, "Member must have value greater than or equal to 900");
        if (seconds > 43200) throw Constraint("durationSeconds", seconds, "Member must have value less than or equal to 43200");
        if (roleChaining && seconds > 3600)
        {
            throw AwsErrorException.Validation(
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining");
        }

        return TimeSpan.FromSeconds(seconds);
    }

    private static void CheckTags(AssumeRoleInput input)
    {
        if (input.Tags.Count > 50) throw Constraint("tags", "[…]", "Member must have length less than or equal to 50");
        for (var index = 0; index < input.Tags.Count; index++)
        {
            var (key, value) = input.Tags[index];
            var member = string.Create(CultureInfo.InvariantCulture, $"tags.{index + 1}.member");
            Length($"{member}.key", key, 1, 128);
            Pattern($"{member}.key", key, TagText());
            Length($"{member}.value", value, 0, 256);
            Pattern($"{member}.value", value, TagText());
            if (key.StartsWith("aws:", StringComparison.OrdinalIgnoreCase))
                throw Constraint($"{member}.key", key, "Member must not begin with the reserved prefix aws:");
        }

        if (input.Tags.DistinctBy(tag => tag.Key, StringComparer.OrdinalIgnoreCase).Count() < input.Tags.Count)
        {
            throw new AwsErrorException(
                "InvalidParameterValue",
                StatusCodes.Status400BadRequest,
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.");
        }
    }

    private static void CheckPolicy(string? policy)
    {
        if (policy is null) return;
        Length("policy", policy, 1, 2048);
        Pattern("policy", policy, PolicyText());
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(policy, new JsonDocumentOptions { AllowDuplicateProperties = false });
        }
        catch (JsonException)
        {
            throw AwsErrorException.MalformedPolicy("This policy contains invalid Json");
        }

        using (document)
        {
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object
                || !IsOneOf(root, "Version", "2012-10-17", "2008-10-17")
                || !root.TryGetProperty("Statement", out var statement))
            {
                throw AwsErrorException.MalformedPolicy("Syntax errors in policy.");
            }

            var statements = OneOrMany(statement);
            if (statements.Count == 0) throw AwsErrorException.MalformedPolicy("Syntax errors in policy.");
            foreach (var each in statements) CheckStatement(each);
        }
    }

    private static void CheckStatement(JsonElement statement)
    {
        if (statement.ValueKind != JsonValueKind.Object || !IsOneOf(statement, "Effect", "Allow", "Deny"))
            throw AwsErrorException.MalformedPolicy("Syntax errors in policy.");
        if (statement.TryGetProperty("Principal", out _) || statement.TryGetProperty("NotPrincipal", out _))
            throw AwsErrorException.MalformedPolicy("Policy document should not specify a principal.");
        if (Texts(statement, "Action") is not { } actions)
            throw AwsErrorException.MalformedPolicy("Policy statement must contain actions.");
        if (Texts(statement, "Resource") is not { } resources)
            throw AwsErrorException.MalformedPolicy("Policy statement must contain resources.");
        if (actions.Any(action => action != "*" && !action.Contains(':', StringComparison.Ordinal)))
            throw AwsErrorException.MalformedPolicy("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
        if (resources.FirstOrDefault(resource => resource != "*" && !resource.StartsWith("arn:", StringComparison.Ordinal)) is { } bad)
            throw AwsErrorException.MalformedPolicy($"Resource {bad} must be in ARN format or \"*\".");
    }

    private static bool IsOneOf(JsonElement parent, string name, params ReadOnlySpan<string> values) =>
        parent.TryGetProperty(name, out var element) && element.ValueKind == JsonValueKind.String && values.Contains(element.GetString());

    /// <summary>The strings of <c>Action</c> or <c>NotAction</c> (or of Resource); null when there are none.</summary>
    private static List<string>? Texts(JsonElement statement, string name)
    {
        if (!statement.TryGetProperty(name, out var element) && !statement.TryGetProperty($"Not{name}", out element)) return null;
        var elements = OneOrMany(element);
        return elements.Count > 0 && elements.TrueForAll(each => each.ValueKind == JsonValueKind.String)
            ? elements.ConvertAll(each => each.GetString()!)
            : null;
    }

    private static List<JsonElement> OneOrMany(JsonElement element) =>
        element.ValueKind == JsonValueKind.Array ? [.. element.EnumerateArray()] : [element];

    private static int PackedPolicySize(AssumeRoleInput input)
    {
        var text = new StringBuilder(input.Policy);
        foreach (var (key, value) in input.Tags) text.Append('\0').Append(key).Append('\0').Append(value);
        if (text.Length == 0) return 0;
        using var packed = new MemoryStream();
        using (var deflate = new DeflateStream(packed, CompressionLevel.Optimal, leaveOpen: true))
            deflate.Write(Encoding.UTF8.GetBytes(text.ToString()));
        var percent = (int)Math.Ceiling(100.0 * packed.Length / PackedBytes);
        return percent <= 100
            ? percent
            : throw AwsErrorException.PackedPolicyTooLarge(string.Create(
                CultureInfo.InvariantCulture, $"Packed policy consumes {percent}% of allotted space, please use smaller policy."));
    }

    private static void Length(string member, string? value, int least, int most, bool required = false)
    {
        if (value is null)
        {
            if (required) throw Constraint(member, null, "Member must not be null");
            return;
        }

        if (value.Length < least) throw Constraint(member, value, $"Member must have length greater than or equal to {least}");
        if (value.Length > most) throw Constraint(member, value, $"Member must have length less than or equal to {most}");
    }

    private static void Pattern(string member, string? value, Regex pattern)
    {
        if (value is not null && !pattern.IsMatch(value))
            throw Constraint(member, value, $"Member must satisfy regular expression pattern: {pattern}");
    }

    private static AwsErrorException Constraint(string member, object? value, string constraint)
    {
        var shown = value is null ? "null" : $"'{value}'";
        return AwsErrorException.Validation(
            $"1 validation error detected: Value {shown} at '{member}' failed to satisfy constraint: {constraint}");
    }

    [GeneratedRegex(@"^arn:aws(-[a-z]+)*:iam::[0-9]{12}:role/[\u0021-\u007E]+\z")]
    private static partial Regex RoleArn();

    // In STS's patterns, \w matches ASCII only.
    [GeneratedRegex(@"^[\w+=,.@-]*\z", RegexOptions.ECMAScript)]
    private static partial Regex Name();

    [GeneratedRegex(@"^[\w+=,.@:/-]*\z", RegexOptions.ECMAScript)]
    private static partial Regex ExternalId();

    [GeneratedRegex(@"^[\p{L}\p{Z}\p{N}_.:/=+\-@]*\z")]
    private static partial Regex TagText();

    [GeneratedRegex(@"^[\u0009\u000A\u000D\u0020-\u00FF]+\z")]
    private static partial Regex PolicyText();
}
