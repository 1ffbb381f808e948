namespace Gateway.Configuration.Snapshots;

/// <summary>Reads the session policy templates that profiles and organizations name.</summary>
internal static class TemplateFiles
{
    /// <summary>Returns each file's content by its name in the snapshot.</summary>
    public static IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Read(Snapshot snapshot, FindingList findings)
    {
        var files = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        var module = snapshot.Options.IotCredentials;
        foreach (var (section, profiles) in new[] { ("Profiles", module.Profiles), ("Organizations", module.Organizations) })
            foreach (var (name, profile) in profiles)
            {
                if (string.IsNullOrEmpty(profile.SessionPolicy)) continue;
                var key = $"IotCredentials:{section}:{name}:{nameof(ProfileOptions.SessionPolicy)}";
                if (NameOf(profile.SessionPolicy) is not { } file)
                    findings.Error(key, snapshot.SourceOf(key),
                        $"is {Finding.Quote(profile.SessionPolicy)}, a path outside the configuration folder. "
                        + "Write a path relative to it, such as \"policies/organization.json\".");
                else if (snapshot.Input.Read(file, out var problem) is { } content)
                    files[file] = content;
                else
                    findings.Error(key, snapshot.SourceOf(key),
                        $"names the file {Finding.Quote(profile.SessionPolicy)}, which {problem} Write a path relative to "
                        + $"{Finding.Quote(snapshot.Folder)}.");
            }

        return files;
    }

    /// <summary>
    /// Returns a path's name in the snapshot, normalized and with <c>/</c> as the separator. Returns null when the path leaves the folder.
    /// </summary>
    public static string? NameOf(string path)
    {
        if (path.Contains('\0', StringComparison.Ordinal) || Path.IsPathRooted(path)) return null;
        var names = new Stack<string>();
        foreach (var name in path.Replace('\\', '/').Split('/'))
        {
            if (name is "" or ".") continue;
            if (name != "..") names.Push(name);
            else if (!names.TryPop(out _)) return null;
        }

        return names.Count == 0 ? null : string.Join('/', names.Reverse());
    }
}
