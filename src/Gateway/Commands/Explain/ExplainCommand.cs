using System.CommandLine;
using System.Globalization;
using System.Text;
using Gateway.Explanations;
using IotCredentials.Operations;

namespace Gateway.Commands.Explain;

/// <summary>
/// <c>explain</c>: shows which route takes a request and why, how its policy judges a token, and the AssumeRole request that would be sent. It makes
/// no call.
/// </summary>
internal static class ExplainCommand
{
    private const string Organization = "--organization";
    private const string Method = "--method";
    private const string Path = "--path";
    private const string Host = "--host";
    /// <summary>The option that holds a token.</summary>
    public const string Token = "--token";
    private const string TokenFile = "--token-file";
    private const string ApiKey = "--api-key";
    private const string ApiKeyFile = "--api-key-file";
    private const string LogLine = "--log-line";

    // They say which request is explained. A line says that itself.
    private static readonly string[] s_ofRequest = [Organization, Method, Path, Host, Token, TokenFile, ApiKey, ApiKeyFile];

    public static Command Create(ProgramEnvironment environment)
    {
        var format = OutputFormat.Option();
        var path = new Option<string>(Path)
        {
            Description = "The request's path and query. Default: those of the first module route, for the organization.",
            HelpName = "P",
        };
        path.Validators.Add(static given =>
        {
            if (given.GetValueOrDefault<string>() is { } text && !text.StartsWith('/')) given.AddError("--path must begin with /");
        });
        var logLine = new Option<string>(LogLine)
        {
            Description = "A file that holds a line of the access log, or - to read it from standard input: why its request got its response.",
            HelpName = "FILE",
        };
        var command = new Command("explain", "Shows how the gateway would handle a request, and why. Makes no call.")
        {
            new Option<string>(Organization) { Description = "The organization that the request is for. Default: the one in --path.", HelpName = "ID" },
            new Option<string>(Method) { Description = "The request's method.", HelpName = "M", DefaultValueFactory = static _ => HttpMethods.Get },
            path,
            new Option<string>(Host) { Description = "The request's host.", HelpName = "H" },
            new Option<string>(Token)
            {
                Description = "The caller's token, or - to read it from standard input. It is never printed, and its signature is not checked. "
                    + "A token on the command line is visible in the process list.",
                HelpName = "T",
            },
            new Option<string>(TokenFile) { Description = "A file that holds the caller's token.", HelpName = "FILE" },
            new Option<string>(ApiKey) { Description = "The caller's API key, or - to read it from standard input. It is never printed.", HelpName = "KEY" },
            new Option<string>(ApiKeyFile) { Description = "A file that holds the caller's API key.", HelpName = "FILE" },
            logLine,
            format,
        };
        command.Validators.Add(given =>
        {
            if (given.GetResult(logLine) is null) return;
            if (command.Options.FirstOrDefault(option => s_ofRequest.Contains(option.Name) && given.GetResult(option) is { Implicit: false }) is { } other)
                given.AddError($"{LogLine} and {other.Name} are both given: write one of them");
        });
        command.SetAction((parsed, _) => RunAsync(parsed, parsed.IsJson(format), environment));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, bool isJson, ProgramEnvironment environment)
    {
        var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        var read = environment.Load(parsed.ConfigurationKeys());
        if (read.Snapshot is not { } configuration)
        {
            if (isJson) output.WriteJson(new { Findings = FindingRow.Of(read) });
            else foreach (var finding in read.Findings) error.WriteLine(finding);
            return ExitCode.Of(read);
        }

        await using var gateway = IdleGateway.BuildAlone(configuration, environment);
        var explainer = new Explainer(configuration, environment.Variables, gateway.Services, RouteOrder.Of(gateway));
        if (parsed.GetValue<string>(LogLine) is { } file) return await ExplainedLine.RunAsync(LogLine, file, explainer, isJson, output, error);

        var (organization, method, host) = (parsed.GetValue<string>(Organization), parsed.GetRequiredValue<string>(Method), parsed.GetValue<string>(Host));
        var request = parsed.GetValue<string>(Path) is { } path ? new ExplainedRequest(method, path, host ?? explainer.AnyHost)
            : organization is not null ? explainer.FirstModuleRequest(organization, method, host)
            : null;
        if (request is null)
        {
            error.WriteLine(organization is null
                ? "error: there is no request to explain: write --path, or --organization for the first module route's request"
                : "error: there is no module route whose path needs only the organization: write --path");
            return ExitCode.Failed;
        }

        if (!GivenToken.TryRead(Token, parsed.GetValue<string>(Token), parsed.GetValue<string>(TokenFile), out var token, out var problem)
            || !GivenToken.TryRead(ApiKey, parsed.GetValue<string>(ApiKey), parsed.GetValue<string>(ApiKeyFile), out var key, out problem))
        {
            error.WriteLine($"error: {problem}");
            return ExitCode.Failed;
        }

        if (token is not null && key is not null)
        {
            error.WriteLine("error: a token and an API key are both given: a request with both gets 401");
            return ExitCode.Failed;
        }

        var explanation = await explainer.ExplainAsync(request, organization, token, key);
        if (isJson) output.WriteJson(explanation);
        else output.Write(Text(explanation));
        return explanation.Refused is null ? ExitCode.Good : ExitCode.Failed;
    }

    private static string Text(Explanation explanation)
    {
        var (method, target, host) = explanation.Request;
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{method.OneLine()} {target.OneLine()} at {host.OneLine()}\n\n");
        Append(text, explanation);
        return text.ToString();
    }

    /// <summary>Appends what becomes of the request.</summary>
    public static void Append(StringBuilder text, Explanation explanation)
    {
        var reason = explanation.Reason is { } word ? $" ({word})" : "";
        text.Append(explanation.Refused is { } status ? $"rejected with {status}{reason}" : $"taken by {explanation.Route!.Route}");
        text.Append(CultureInfo.InvariantCulture, $": {explanation.Why}\n");
        if (explanation.Route is { } route)
        {
            text.Append(CultureInfo.InvariantCulture, $"\nroute {route.Route}\n");
            RouteText.Lines(text, route);
        }

        if (explanation.Lost is { } lost)
        {
            text.Append("\nother routes\n");
            foreach (var loser in lost) text.Append(CultureInfo.InvariantCulture, $"   {loser.Route} ({loser.Path}): {loser.Reason}\n");
            text.Append(CultureInfo.InvariantCulture, $"   {explanation.OtherPaths} routes with another path\n");
        }

        if (explanation.Token is { } token) Append(text, token);
        if (explanation.AssumeRole is { } assumeRole) Append(text, assumeRole, explanation.Refused is null ? "" : ", if the request were not rejected");
        if (explanation.Notes.Count > 0) text.Append("\nnotes\n");
        foreach (var note in explanation.Notes) text.Append(CultureInfo.InvariantCulture, $"   {note}\n");
    }

    private static void Append(StringBuilder text, TokenVerdict token)
    {
        text.Append(CultureInfo.InvariantCulture, $"\n{(token.IsKey ? "API key" : "token")}\n");
        text.Line("scheme", token.Scheme ?? "none");
        if (token.Issuer is { } issuer) text.Line("issuer", issuer);
        foreach (var failure in token.Failures) text.Line("FAILS", failure);
        text.Line("signature", token.Signature);
        foreach (var requirement in token.Requirements) text.Line(requirement.Met ? "met" : "NOT MET", requirement.Requirement);
    }

    private static void Append(StringBuilder text, AssumeRoleExplanation request, string condition)
    {
        text.Append(CultureInfo.InvariantCulture, $"\nAssumeRole{condition}\n");
        text.Line("role", request.Role);
        text.Line("region", request.Region);
        text.Line("session", request.SessionName);
        text.Line("duration", $"{request.DurationSeconds} s");
        foreach (var (name, value) in request.Tags) text.Line("tag", $"{name} = {value}");
        if (request.ExternalId is { } externalId) text.Line("external id", externalId);
        if (request.SourceIdentity is { } identity) text.Line("source", identity);
        text.Line("policy", $"{request.PolicyLength} of {request.PolicyLimit} characters");
        text.Line("", request.Policy);
        text.Line("identity", request.Identity ?? "unknown offline");
        if (request.DecidedByDirectory is not null) text.Line("Redis key", "depends on the directory");
        else text.Line("Redis key", request.RedisKey ?? $"NOT THE REAL ONE, identity left empty: {request.RedisKeyWithoutIdentity}");
    }
}
