namespace Gateway.Logs;

/// <summary>An entry of a log. It is kept until the background writer makes its line: on a request's thread that would cost several times as much.</summary>
internal interface ILogEntry
{
    /// <summary>About how many bytes of memory the entry takes.</summary>
    int Size { get; }

    /// <summary>Writes the line, with its line feed.</summary>
    void Write(LogLine line);
}
