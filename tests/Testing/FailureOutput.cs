using Xunit;

namespace Testing;

/// <summary>What the runner prints beside a test that fails.</summary>
internal static class FailureOutput
{
    private const int MostLines = 20;

    /// <summary>Adds the last of some lines. Those that hold a secret are left out.</summary>
    public static void Add(IEnumerable<string> lines)
    {
        // What a fixture disposes of belongs to no test.
        if (TestContext.Current is not { TestStatus: TestEngineStatus.Running, TestOutputHelper: { } output }) return;
        foreach (var line in lines.TakeLast(MostLines)) output.WriteLine(IssuedSecrets.IsIn(line) ? "(a line with a secret)" : line);
    }
}
