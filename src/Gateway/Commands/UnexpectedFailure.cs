using System.Diagnostics;
using Gateway.Configuration;

namespace Gateway.Commands;

/// <summary>The one line about an exception that nothing expected.</summary>
internal static class UnexpectedFailure
{
    /// <summary>Says which command failed, over which configuration and where. Not the exception's message, which can hold a value and so a secret.</summary>
    public static string Describe(string[] args, ProgramEnvironment environment, Exception exception)
    {
        var command = args is [("check" or "explain" or "doctor") and var name, ..] ? $"the command {name}" : "the gateway";
        var folder = FolderIn(args) ?? environment.Variables.GetValueOrDefault(ConfigurationFolder.Variable) ?? "appsettings";
        return $"error: {command} ended unexpectedly over the configuration in {Finding.Quote(folder)}: {KindOf(exception)}. "
            + "This is a fault of the gateway; undo the last change of the configuration, and report this line.";
    }

    private static string? FolderIn(string[] args)
    {
        var index = Array.LastIndexOf(args, "--config");
        return index >= 0 && index + 1 < args.Length ? args[index + 1]
            : args.LastOrDefault(static arg => arg.StartsWith("--config=", StringComparison.OrdinalIgnoreCase))?["--config=".Length..];
    }

    /// <summary>The exception's type, the method that threw it, and the method of this program that called that one.</summary>
    public static string KindOf(Exception exception)
    {
        var frames = new StackTrace(exception.GetBaseException()).GetFrames().Select(DiagnosticMethodInfo.Create).OfType<DiagnosticMethodInfo>().ToList();
        var thrower = frames.FirstOrDefault();
        var own = frames.Find(static method => method.DeclaringTypeName?.Split('.')[0] is nameof(Gateway) or nameof(CredentialModule));
        return exception.GetBaseException().GetType().Name
            + (thrower is null ? "" : $" in {NameOf(thrower)}")
            + (own is null || own == thrower ? "" : $", called by {NameOf(own)}");
    }

    private static string NameOf(DiagnosticMethodInfo method) => $"{method.DeclaringTypeName}.{method.Name}";
}
