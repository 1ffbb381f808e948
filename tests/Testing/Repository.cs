namespace Testing;

/// <summary>The files of this repository, for tests that compare its documents and sources with the code.</summary>
public static class Repository
{
    /// <summary>The folder of the solution.</summary>
    public static string Root { get; } = Find();

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "IotCredentials.sln"))) folder = folder.Parent!;
        return folder.FullName;
    }
}
