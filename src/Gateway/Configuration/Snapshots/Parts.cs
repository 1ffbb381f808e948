using IotCredentials.Failures;

namespace Gateway.Configuration.Snapshots;

/// <summary>Finds the failing parts of a whole by trying each part alone, because YARP's exceptions rarely name the key that they concern.</summary>
internal static class Parts
{
    /// <summary>
    /// Returns the problems of each part that fails alone, with the part's name. If the whole fails but no part does, returns the problems of the
    /// whole with an empty name.
    /// </summary>
    /// <param name="whole">The whole to try.</param>
    /// <param name="parts">Returns, for each part, its name and the whole reduced to that part.</param>
    /// <param name="problems">Tries a whole and returns its problems.</param>
    public static IEnumerable<(string Name, string Problem)> Failing<T>(
        T whole, Func<T, IEnumerable<(string Name, T Alone)>> parts, Func<T, IReadOnlyList<string>> problems)
    {
        var all = problems(whole);
        if (all.Count == 0) return [];
        var found = parts(whole).SelectMany(part => problems(part.Alone).Select(problem => (part.Name, problem))).ToArray();
        return found.Length > 0 ? found : all.Select(problem => ("", problem));
    }

    /// <summary>Returns the exceptions that an attempt throws or returns, each as one line.</summary>
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

    /// <summary>Returns an exception's message as one sentence for a finding.</summary>
    public static string Text(Exception exception)
    {
        var reason = exception.GetBaseException();
        var line = string.Join(' ', reason.Message.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        line = SecretText.HideInSentence(line);
        return line.EndsWith('.') ? line : line + ".";
    }
}
