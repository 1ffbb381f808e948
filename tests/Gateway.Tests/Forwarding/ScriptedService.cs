using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Gateway.Tests.Forwarding;

/// <summary>A service that reads a request's head and answers what it is told, byte for byte: nothing, a part, or whole; then it hangs up, or stays.</summary>
internal sealed class ScriptedService : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly byte[] _answer;
    private readonly bool _stays;
    private int _requests;

    public ScriptedService(string answer = "", bool stays = false)
    {
        (_answer, _stays) = (Encoding.ASCII.GetBytes(answer), stays);
        _listener.Start();
        _ = AcceptAsync();
    }

    public string Url => $"http://{_listener.LocalEndpoint}/";

    public int Requests => _requests;

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        while (true) _ = AnswerAsync(await _listener.AcceptTcpClientAsync());
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using (client)
        {
            await using var stream = client.GetStream();
            using var request = new StreamReader(stream);
            while (await request.ReadLineAsync() is { Length: > 0 }) { }
            Interlocked.Increment(ref _requests);
            await stream.WriteAsync(_answer);
            if (_stays) await request.ReadToEndAsync();
        }
    }
}
