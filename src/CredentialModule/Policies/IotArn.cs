namespace IotCredentials.Policies;

/// <summary>The ARN of an AWS IoT resource, split into parts. No placeholder's name holds a colon, so the source can be split like the rendered text.</summary>
/// <param name="Before">The part before the type.</param>
/// <param name="Type">The resource's type.</param>
/// <param name="Name">The part after the type and its slash.</param>
internal sealed record IotArn(string Before, IotResourceType Type, string Name)
{
    private const string Shape = "arn:{partition}:iot:{region}:{accountId}:TYPE/NAME";

    /// <summary>The type of an ARN; null if it cannot be determined.</summary>
    public static IotResourceType? TypeOf(string source) => source.Split(':', 6) is [_, _, _, _, _, var name] ? ReadType(name) : null;

    /// <summary>Reads an ARN; null, with the problem of each part, if it is invalid. The sentence begins where a caller's "where" ends.</summary>
    public static IotArn? Parse(string source, out string problem)
    {
        problem = $"is not of the shape {Shape}.";
        if (source.Split(':', 6) is not ["arn", var partition, var service, var region, var account, var name])
            return null;
        var wrong = new List<string>();
        if (partition != RoleArnTemplate.OpenPartition && !AwsPartition.IsName(partition))
            wrong.Add($"`{partition}` as its partition: write {{partition}}, or one of {AwsPartition.Names}");
        if (service != "iot")
            wrong.Add($"`{service}` as its service: write iot");
        if (region != "{region}" && (region.Length == 0 || !region.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')))
            wrong.Add($"`{region}` as its region: write {{region}}, or one region such as eu-west-1");
        if (account != "{accountId}" && (account.Length != 12 || !account.All(char.IsAsciiDigit)))
            wrong.Add($"`{account}` as its account: write {{accountId}}, or 12 digits");
        if (ReadType(name) is not { } type)
        {
            var given = name.Split('/', 2)[0];
            wrong.Add($"`{given}` as its type: write client/…, topic/…, topicfilter/… or thing/…, in lower case");
            type = default;
        }

        if (wrong.Count == 0)
            return new IotArn(source[..^name.Length], type, name.Split('/', 2)[1]);
        problem = $"has {string.Join("; and ", wrong)}. No wildcard stands there. The shape is {Shape}.";
        return null;
    }

    private static IotResourceType? ReadType(string name) => name.Contains('/') ? IotResourceTypes.Read(name.Split('/', 2)[0]) : null;
}
