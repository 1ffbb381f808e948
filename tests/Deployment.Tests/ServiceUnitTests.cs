using System.Globalization;
using System.Text.RegularExpressions;
using Testing;
using Xunit;

namespace Deployment.Tests;

/// <summary><c>deploy/systemd</c>, as systemd reads it.</summary>
public sealed partial class ServiceUnitTests : IDisposable
{
    private static readonly string s_unit = File.ReadAllText(Tool.Deploy("systemd", "iot-gateway.service"));

    private readonly string _folder = Directory.CreateTempSubdirectory("unit-").FullName;

    [Fact]
    public async Task Systemd_accepts_the_unit()
    {
        var verified = await Tool.RunAsync("systemd-analyze", ["verify", "--man=no", Write(s_unit)]);

        Assert.True(verified.ExitCode == 0 && verified.All.Trim() == "", verified.All);
    }

    [Theory]
    [InlineData("ProtectSystem=strict", "ProtectSystm=strict")]
    [InlineData("Type=exec", "Type=executed")]
    [InlineData("TimeoutStopSec=35", "TimeoutStopSec=soon")]
    public async Task Systemd_names_a_misspelt_line(string written, string misspelt)
    {
        var line = 1 + Array.IndexOf(s_unit.Split('\n'), written);

        var verified = await Tool.RunAsync("systemd-analyze", ["verify", "--man=no", Write(s_unit.Replace(written, misspelt, StringComparison.Ordinal))]);

        Assert.Contains($"iot-gateway.service:{line}: ", verified.All, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Systemd_rates_its_exposure_at_two_of_ten_or_less()
    {
        var rated = await Tool.RunAsync("systemd-analyze", ["security", "--offline=true", "--threshold=20", "--no-pager", Write(s_unit)]);

        Assert.True(rated.ExitCode == 0, rated.All);
    }

    [Fact]
    public void The_process_has_time_to_drain()
    {
        var timeout = TimeSpan.Parse(Variables()["Shutdown__Timeout"], CultureInfo.InvariantCulture);
        var stop = int.Parse(Regex.Match(s_unit, "^TimeoutStopSec=([0-9]+)$", RegexOptions.Multiline).Groups[1].Value, CultureInfo.InvariantCulture);

        Assert.True(stop >= timeout.TotalSeconds + 5);
    }

    // systemd counts an end by SIGHUP, SIGINT or SIGPIPE as a success.
    [Fact]
    public void The_service_starts_again_however_its_process_ended() => Assert.Contains("\nRestart=always\n", s_unit, StringComparison.Ordinal);

    // Audit lines on standard output are messages to journald, which drops those beyond a rate.
    [Fact]
    public void Journald_drops_no_line_of_the_service() => Assert.Contains("\nLogRateLimitIntervalSec=0\n", s_unit, StringComparison.Ordinal);

    // Tokens and credentials would cross the network in plain text.
    [Fact]
    public void Only_a_proxy_on_the_machine_reaches_the_gateway_and_is_trusted()
    {
        var variables = Variables();

        Assert.All((string[])["Urls", "Management__Url"], name => Assert.Equal("127.0.0.1", new Uri(variables[name]).Host));
        Assert.Equal("127.0.0.1", variables["Edge__TrustedProxies__0"]);
    }

    // The gateway makes log files with mode 0640.
    [Fact]
    public void The_group_of_the_service_reads_its_log_files()
    {
        var mask = Convert.ToInt32(Regex.Match(s_unit, "^UMask=([0-7]+)$", RegexOptions.Multiline).Groups[1].Value, fromBase: 8);

        Assert.Equal(Convert.ToInt32("027", fromBase: 8), mask);
    }

    [Fact]
    public async Task The_gateway_accepts_its_variables()
    {
        File.WriteAllText(Path.Combine(_folder, "sealing-keys"), GatewayFolder.NewSealingKey());

        await GatewayCheck.PassesAsync(GatewayCheck.ShippedFolder, Variables(), managementIsOpen: false);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Writes the unit with a program that is on every machine.</summary>
    private string Write(string unit)
    {
        var file = Path.Combine(_folder, "iot-gateway.service");
        File.WriteAllText(file, unit.Replace("/usr/bin/dotnet", "/bin/true", StringComparison.Ordinal));
        return file;
    }

    /// <summary>The variables of the unit and of its environment file, with the folder of the credentials.</summary>
    private Dictionary<string, string> Variables()
    {
        var unit = Environment().Matches(s_unit).SelectMany(static match => match.Groups[1].Value.Split(' '));
        var file = File.ReadLines(Tool.Deploy("systemd", "environment")).Where(static line => line is not "" and not ['#', ..]);
        return unit.Concat(file).Select(static line => line.Split('=', 2)).ToDictionary(
            static pair => pair[0], pair => pair[1].Replace("%d", _folder, StringComparison.Ordinal));
    }

    [GeneratedRegex("^Environment=(.+)$", RegexOptions.Multiline)]
    private static partial Regex Environment();
}
