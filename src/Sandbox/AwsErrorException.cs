namespace Sandbox;

/// <summary>An error with AWS's code and message. Each protocol writes it in its own format.</summary>
internal sealed class AwsErrorException(string code, int status, string message) : Exception(message)
{
    public string Code { get; } = code;

    public int Status { get; } = status;

    public static AwsErrorException Validation(string message) => new("ValidationError", StatusCodes.Status400BadRequest, message);

    public static AwsErrorException MalformedPolicy(string message) =>
        new("MalformedPolicyDocument", StatusCodes.Status400BadRequest, message);

    public static AwsErrorException PackedPolicyTooLarge(string message) =>
        new("PackedPolicyTooLarge", StatusCodes.Status400BadRequest, message);

    public static AwsErrorException Denied(string caller, string action, string resource) => new(
        "AccessDenied", StatusCodes.Status403Forbidden, $"User: {caller} is not authorized to perform: {action} on resource: {resource}");
}
