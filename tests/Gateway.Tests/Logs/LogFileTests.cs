using System.Text;
using Gateway.Logs;
using Gateway.Tests.Configuration;
using Testing;
using Xunit;

namespace Gateway.Tests.Logs;

/// <summary>A log file survives what tools and disks do to it.</summary>
public sealed class LogFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-log-").FullName;

    private string Name => Path.Combine(_folder, "access.log");

    [Fact]
    public void Lines_are_appended_to_what_an_earlier_process_wrote()
    {
        File.WriteAllText(Name, "before\n");
        using var file = new LogFile(Name);
        Write(file, "a\n");
        Write(file, "b\n");

        Assert.Equal("before\na\nb\n", File.ReadAllText(Name));
    }

    [Fact]
    public void A_renamed_file_gets_lines_until_it_is_reopened()
    {
        using var file = new LogFile(Name);
        Write(file, "a\n");
        File.Move(Name, Name + ".1");
        Write(file, "b\n");
        file.Reopen();
        Write(file, "c\n");

        Assert.Equal(("a\nb\n", "c\n"), (File.ReadAllText(Name + ".1"), File.ReadAllText(Name)));
    }

    [Fact]
    public void A_file_that_is_copied_and_truncated_is_written_from_its_begin()
    {
        using var file = new LogFile(Name);
        Write(file, "a long line before\n");
        using (var truncating = new FileStream(Name, FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) truncating.SetLength(0);
        Write(file, "b\n");

        Assert.Equal("b\n", File.ReadAllText(Name));
    }

    [Fact]
    public void Nothing_of_a_batch_that_fails_stays_in_the_file_and_the_next_one_is_written()
    {
        // A device that is always full takes the role of a disk.
        using var full = new LogFile("/dev/full");
        Assert.Throws<IOException>(() => Write(full, "lost\n"));
        Assert.Throws<IOException>(() => Write(full, "lost\n"));

        var inNoFolder = Path.Combine(_folder, "later", "access.log");
        using var file = new LogFile(inNoFolder);
        Assert.Throws<DirectoryNotFoundException>(() => Write(file, "lost\n"));
        Directory.CreateDirectory(Path.GetDirectoryName(inNoFolder)!);
        Write(file, "written\n");
        Assert.Equal("written\n", File.ReadAllText(inNoFolder));
    }

    [Theory]
    [InlineData("pipe")]
    [InlineData("link to a pipe")]
    [InlineData("socket")]
    [InlineData("device")]
    public async Task A_file_that_has_become_something_else_is_refused_without_a_wait_and_written_again_when_it_is_one(string kind)
    {
        using var file = new LogFile(Name);
        Write(file, "a\n");
        File.Move(Name, Name + ".1");
        using var socket = SpecialFiles.Make(Name, kind);
        file.Reopen();
        var writing = Task.Run(() => Write(file, "lost\n"));

        await Assert.ThrowsAsync<InvalidDataException>(() => writing.WaitAsync(Eventually.Limit, TestContext.Current.CancellationToken));
        Assert.Throws<InvalidDataException>(() => Write(file, "lost\n"));

        File.Delete(Name);
        file.Reopen();
        Write(file, "b\n");
        Assert.Equal("b\n", File.ReadAllText(Name));
    }

    [Fact]
    public void Others_may_not_read_it()
    {
        using var file = new LogFile(Name);
        Write(file, "a\n");

        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(Name) & (UnixFileMode.OtherRead | UnixFileMode.GroupWrite));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static void Write(LogFile file, string lines) => file.Write(Encoding.UTF8.GetBytes(lines));
}
