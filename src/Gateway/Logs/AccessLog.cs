namespace Gateway.Logs;

/// <summary>The access log. A line is made on the request's thread, and written in the background; no request waits for it.</summary>
internal sealed class AccessLog(LogOutputs outputs)
{
    /// <summary>Whether the log is written.</summary>
    public bool IsOn => outputs.Access is not null;

    /// <summary>Adds a line. The log must be on.</summary>
    public void Add(in AccessEntry entry)
    {
        var line = JsonLine.Begin(entry.Time);
        entry.Write(line.Json);
        line.EndIn(outputs.Access!);
    }
}
