using System.Globalization;

namespace Sandbox;

/// <summary>The parameters of an AssumeRole call, as sent and unchecked. A parameter that was not sent is null or empty.</summary>
public sealed record AssumeRoleInput
{
    /// <summary><c>RoleArn</c>.</summary>
    public string? RoleArn { get; init; }

    /// <summary><c>RoleSessionName</c>.</summary>
    public string? RoleSessionName { get; init; }

    /// <summary><c>SourceIdentity</c>.</summary>
    public string? SourceIdentity { get; init; }

    /// <summary><c>ExternalId</c>.</summary>
    public string? ExternalId { get; init; }

    /// <summary><c>DurationSeconds</c>; also null if it is not a whole number (the call is then rejected).</summary>
    public int? DurationSeconds { get; init; }

    /// <summary><c>Tags</c>, in order.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Tags { get; init; } = [];

    /// <summary><c>TransitiveTagKeys</c>, in order.</summary>
    public IReadOnlyList<string> TransitiveTagKeys { get; init; } = [];

    /// <summary><c>Policy</c>, the session policy's text.</summary>
    public string? Policy { get; init; }

    internal string? DurationText { get; init; }

    internal static AssumeRoleInput Read(IFormCollection form)
    {
        return new AssumeRoleInput
        {
            RoleArn = Value("RoleArn"),
            RoleSessionName = Value("RoleSessionName"),
            SourceIdentity = Value("SourceIdentity"),
            ExternalId = Value("ExternalId"),
            DurationText = Value("DurationSeconds"),
            DurationSeconds = Number(Value("DurationSeconds")),
            Tags =
            [
                .. Members("Tags", "Key")
                    .Select(member => KeyValuePair.Create(Value($"{member}.Key") ?? "", Value($"{member}.Value") ?? "")),
            ],
            TransitiveTagKeys = [.. Members("TransitiveTagKeys").Select(member => Value(member) ?? "")],
            Policy = Value("Policy"),
        };

        string? Value(string name) => form.TryGetValue(name, out var values) ? values.ToString() : null;

        static int? Number(string? text) =>
            int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

        // The query protocol numbers a list's members from 1: Tags.member.1.Key.
        IEnumerable<string> Members(string list, string? field = null) => Enumerable.Range(1, int.MaxValue)
            .Select(index => string.Create(CultureInfo.InvariantCulture, $"{list}.member.{index}"))
            .TakeWhile(member => form.ContainsKey(field is null ? member : $"{member}.{field}"));
    }
}
