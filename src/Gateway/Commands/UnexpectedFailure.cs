using System.Diagnostics;
using Gateway.Configuration.Loading;

namespace Gateway.Commands;

/// <summary>Describes an unexpected exception in one line.</summary>
internal static class UnexpectedFailure
{
    private const string Assigned = $"{ConfigurationArguments.Config}=";

    /// <summary>
    /// Describes which command failed, with which configuration folder, and where in the code. The exception's message is left out because it can
    /// contain a value, and so a secret.
    /// </summary>
    public static string Describe(string[] args, ProgramEnvironment environment, Exception exception)
    {
        var command = args is [("check" or "explain" or "diff" or "doctor") and var name, ..] ? $"the command {name}" : "the gateway";
        var folder = FolderIn(args) ?? environment.Variables.GetValueOrDefault(ConfigurationFolder.Variable) ?? "appsettings";
        return $"error: {command} ended unexpectedly with the configuration in {Finding.Quote(folder)}: {KindOf(exception)}. "
            + "This is a bug in the gateway: undo the last change of the configuration, and report this line.";
    }

    private static string? FolderIn(string[] args)
    {
        var index = Array.LastIndexOf(args, ConfigurationArguments.Config);
        return index >= 0 && index + 1 < args.Length ? args[index + 1]
            : args.LastOrDefault(static arg => arg.StartsWith(Assigned, StringComparison.OrdinalIgnoreCase))?[Assigned.Length..];
    }

    /// <summary>Returns the exception's type, the method that threw it, and the nearest calling method of this program.</summary>
    public static string KindOf(Exception exception)
    {
        var frames = new StackTrace(exception.GetBaseException()).GetFrames().Select(DiagnosticMethodInfo.Create).OfType<DiagnosticMethodInfo>().ToList();
        var thrower = frames.FirstOrDefault();
        var own = frames.Find(static method => method.DeclaringTypeName?.Split('.', '+')[0]
            is nameof(Gateway) or nameof(GatewayProgram) or nameof(IotCredentials));
        return exception.GetBaseException().GetType().Name
            + (thrower is null ? "" : $" in {NameOf(thrower)}")
            + (own is null || own == thrower ? "" : $", called by {NameOf(own)}");
    }

    private static string NameOf(DiagnosticMethodInfo method) => $"{method.DeclaringTypeName}.{method.Name}";
}
