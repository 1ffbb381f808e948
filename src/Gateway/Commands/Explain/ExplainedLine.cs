using System.Globalization;
using System.Text;
using Gateway.Explanations;

namespace Gateway.Commands.Explain;

/// <summary>Explains why a request of the access log got its response.</summary>
internal static class ExplainedLine
{
    public static async Task<int> RunAsync(string option, string file, Explainer explainer, bool isJson, TextWriter output, TextWriter error)
    {
        if (!GivenToken.TryReadText(option, file == GivenToken.StandardInput ? null : file, "line of the access log", out var line, out var problem)
            || LoggedRequest.Read(line, out problem) is not { } logged)
        {
            error.WriteLine($"error: {problem}");
            return ExitCode.Failed;
        }

        var explanation = await LoggedExplanation.OfAsync(explainer, logged);
        if (isJson) output.WriteJson(explanation);
        else output.Write(Text(explanation));
        return logged.Reason is null ? ExitCode.Good : ExitCode.Failed;
    }

    private static string Text(LoggedExplanation explanation)
    {
        var logged = explanation.Logged;
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{logged.Method} {logged.Path.OneLine()}\n\n{explanation.Outcome.OneLine()}: {explanation.Why}\n");
        if (explanation.Do is { } advice) text.Line("do", advice);
        text.Line("route", logged.Route ?? "none");
        if (logged.Subject is { } subject) text.Line("caller", $"{subject} of {logged.Issuer}, by the scheme {logged.Scheme}");
        if (logged.Organization is { } organization) text.Line("organization", organization);
        if (logged.Client is { } client) text.Line("client", client);
        if (logged.Time is { } time) text.Line("time", time);
        if (explanation.Now is { } now)
        {
            text.Append("\nby this configuration, without a token\n");
            ExplainCommand.Append(text, now);
        }

        text.Append("\nnotes\n");
        foreach (var note in explanation.Notes) text.Append(CultureInfo.InvariantCulture, $"   {note.OneLine()}\n");
        return text.ToString();
    }
}
