using System.Text.Json;

namespace IotCredentials.Policies;

/// <summary>
/// A policy template as a closed tree. The policy that is sent to AWS is written from it and never from the file's text, so that IAM cannot read the policy
/// differently than the rules did.
/// </summary>
/// <param name="Path">The value's place in the file, such as <c>Statement[0].Resource[1]</c>.</param>
internal abstract record PolicyNode(string Path)
{
    /// <summary>Writes the value with its placeholders replaced.</summary>
    public abstract void Write(Utf8JsonWriter writer, TemplateValues values);
}

internal sealed record PolicyObject(string Path, IReadOnlyList<KeyValuePair<string, PolicyNode>> Members) : PolicyNode(Path)
{
    public PolicyNode? this[string name] => Members.FirstOrDefault(member => member.Key == name).Value;

    public override void Write(Utf8JsonWriter writer, TemplateValues values)
    {
        writer.WriteStartObject();
        foreach (var (name, value) in Members)
        {
            writer.WritePropertyName(name);
            value.Write(writer, values);
        }

        writer.WriteEndObject();
    }
}

internal sealed record PolicyArray(string Path, IReadOnlyList<PolicyNode> Items) : PolicyNode(Path)
{
    public override void Write(Utf8JsonWriter writer, TemplateValues values)
    {
        writer.WriteStartArray();
        foreach (var item in Items)
            item.Write(writer, values);
        writer.WriteEndArray();
    }
}

internal sealed record PolicyString(string Path, TemplateText Text) : PolicyNode(Path)
{
    public override void Write(Utf8JsonWriter writer, TemplateValues values) => writer.WriteStringValue(Text.Render(values));
}

internal sealed record PolicyBoolean(string Path, bool Value) : PolicyNode(Path)
{
    public override void Write(Utf8JsonWriter writer, TemplateValues values) => writer.WriteBooleanValue(Value);
}

/// <summary>A number. It is written as it was read, because AWS compares it by its own rules of equality.</summary>
internal sealed record PolicyNumber(string Path, string Text) : PolicyNode(Path)
{
    public override void Write(Utf8JsonWriter writer, TemplateValues values) => writer.WriteRawValue(Text);
}

/// <summary>Stands for a value that already has a finding, so that it is not reported as missing as well.</summary>
internal sealed record PolicyInvalid(string Path) : PolicyNode(Path)
{
    public override void Write(Utf8JsonWriter writer, TemplateValues values) => writer.WriteNullValue();
}
