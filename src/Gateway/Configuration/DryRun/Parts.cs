using CredentialModule.Telemetry;

namespace Gateway.Configuration.DryRun;

/// <summary>Finds which part of a whole fails, by trying each alone: an exception of YARP's rarely names the key that it is about.</summary>
internal static class Parts
{
    /// <summary>The problems of each part that fails alone, by its name; those of the whole, under an empty name, when none does.</summary>
    /// <param name="whole">What is tried.</param>
    /// <param name="parts">The whole with nothing but one part of it, by the part's name.</param>
    /// <param name="problems">Tries one, and returns what is wrong with it.</param>
    public static IEnumerable<(string Name, string Problem)> Failing<T>(T whole, Func<T, IEnumerable<(string Name, T Alone)>> parts, Func<T, IReadOnlyList<string>> problems)
    {
        var all = problems(whole);
        if (all.Count == 0) return [];
        var found = parts(whole).SelectMany(part => problems(part.Alone).Select(problem => (part.Name, problem))).ToArray();
        return found.Length > 0 ? found : all.Select(problem => ("", problem));
    }

    /// <summary>What an attempt throws, or returns as wrong: each on one line.</summary>
    public static IReadOnlyList<string> ProblemsOf(Func<IEnumerable<Exception>> attempt)
    {
        try
        {
            return [.. attempt().Select(Text)];
        }
        catch (Exception exception)
        {
            return [Text(exception)];
        }
    }

    /// <summary>An exception's message, as one sentence of a finding.</summary>
    public static string Text(Exception exception)
    {
        var reason = exception.GetBaseException();
        var line = string.Join(' ', reason.Message.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        line = SecretText.HideInSentence(line);
        return line.EndsWith('.') ? line : line + ".";
    }
}
