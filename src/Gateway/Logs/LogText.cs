namespace Gateway.Logs;

/// <summary>A line that is made already, or several, each with its line feed.</summary>
internal readonly record struct LogText(byte[] Utf8) : ILogEntry
{
    public int Size => Utf8.Length;

    public void Write(LogLine line) => line.Write(Utf8);
}
