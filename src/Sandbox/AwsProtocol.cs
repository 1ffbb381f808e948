using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Xml.Linq;

namespace Sandbox;

/// <summary>The wire formats of STS (query protocol, XML) and IoT (REST, JSON) for responses and errors.</summary>
internal sealed record AwsProtocol(string Service, string ContentType, Func<AwsErrorException, string, string> WriteError)
{
    private static readonly XNamespace s_stsNamespace = "https://sts.amazonaws.com/doc/2011-06-15/";

    public static AwsProtocol Sts { get; } = new("sts", "text/xml", (error, requestId) => Xml(new XElement(
        s_stsNamespace + "ErrorResponse",
        new XElement(
            s_stsNamespace + "Error",
            new XElement(s_stsNamespace + "Type", error.Status < 500 ? "Sender" : "Receiver"),
            new XElement(s_stsNamespace + "Code", error.Code),
            new XElement(s_stsNamespace + "Message", error.Message)),
        new XElement(s_stsNamespace + "RequestId", requestId))));

    /// <summary>The protocol of AWS IoT. Its service model names <c>iot</c> as the signing service of DescribeEndpoint.</summary>
    public static AwsProtocol Iot { get; } = new(
        "iot", "application/json", (error, _) => new JsonObject { ["message"] = error.Message }.ToJsonString());

    public static string StsResponse(string action, string requestId, params (string Path, string Value)[] values)
    {
        var result = new XElement(s_stsNamespace + $"{action}Result");
        foreach (var (path, value) in values)
        {
            var element = result;
            foreach (var name in path.Split('/'))
            {
                var next = element.Element(s_stsNamespace + name);
                if (next is null) element.Add(next = new XElement(s_stsNamespace + name));
                element = next;
            }

            element.Value = value;
        }

        return Xml(new XElement(
            s_stsNamespace + $"{action}Response",
            result,
            new XElement(s_stsNamespace + "ResponseMetadata", new XElement(s_stsNamespace + "RequestId", requestId))));
    }

    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>The error for a signature problem. Each service has its own codes.</summary>
    public AwsErrorException SignatureError(AwsSignatureProblem problem, string? detail = null)
    {
        var (sts, iot, message) = problem switch
        {
            AwsSignatureProblem.Missing => (
                "MissingAuthenticationToken",
                "MissingAuthenticationTokenException",
                "Request is missing Authentication Token"),
            AwsSignatureProblem.UnknownKey => (
                "InvalidClientTokenId",
                "UnrecognizedClientException",
                "The security token included in the request is invalid."),
            AwsSignatureProblem.Expired => (
                "ExpiredToken",
                "ExpiredTokenException",
                "The security token included in the request is expired"),
            _ => (
                "SignatureDoesNotMatch",
                "InvalidSignatureException",
                "The request signature we calculated does not match the signature you provided. "
                + "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."),
        };
        return new AwsErrorException(this == Sts ? sts : iot, StatusCodes.Status403Forbidden, detail ?? message);
    }

    public async Task WriteAsync(HttpResponse response, int status, string body, CancellationToken cancellationToken)
    {
        response.StatusCode = status;
        response.ContentType = ContentType;
        await response.Body.WriteAsync(Encoding.UTF8.GetBytes(body), cancellationToken);
    }

    private static string Xml(XElement root) => root.ToString(SaveOptions.DisableFormatting);
}
