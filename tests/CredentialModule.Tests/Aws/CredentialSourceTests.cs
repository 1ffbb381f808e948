using System.Diagnostics;
using Amazon.Runtime;
using IotCredentials.Aws;
using Microsoft.Extensions.Options;
using Testing;
using Xunit;

namespace IotCredentials.Tests.Aws;

public sealed class CredentialSourceTests
{
    private readonly Source _source = new();

    [Fact]
    public async Task FindAsync_WhileAnotherAsks_SharesItsOutcome()
    {
        var source = NewSource();

        var one = source.FindAsync(CancellationToken.None);
        var other = source.FindAsync(CancellationToken.None);
        _source.Answers.SetResult();

        Assert.Equal((await one).Values, (await other).Values);
        Assert.Equal(1, _source.Asked);
    }

    [Fact]
    public async Task FindAsync_WhenTheSourceFailsLater_IsWhatItGaveLast()
    {
        var source = NewSource();
        _source.Answers.SetResult();
        var first = await source.FindAsync(CancellationToken.None);
        _source.Fails = true;

        Assert.Equal(first.Values, (await source.FindAsync(CancellationToken.None)).Values);
        await Eventually.IsTrueAsync(() => _source.Asked == 2);
        await Assert.ThrowsAsync<AmazonClientException>(() => source.RereadAsync(first, () => true, CancellationToken.None));
    }

    [Fact]
    public async Task RereadAsync_WhenTheSourceNeverAnsweredTheFirst_AsksAgain()
    {
        var source = NewSource();
        using var end = new CancellationTokenSource();
        var first = source.FindAsync(end.Token);
        await Eventually.IsTrueAsync(() => _source.Asked == 1);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);

        var other = source.RereadAsync(null, () => true, CancellationToken.None);
        var shared = source.FindAsync(CancellationToken.None);
        _source.Answers.SetResult();

        Assert.Equal((await other).Values, (await shared).Values);
        Assert.Equal(2, _source.Asked);
    }

    [Fact]
    public async Task FindAsync_WhenTheSourceHangsLater_IsWhatItGaveLastAndTheNextCallerAsksAgain()
    {
        var source = NewSource();
        _source.Answers.SetResult();
        var first = await source.FindAsync(CancellationToken.None);
        _source.Answers = new TaskCompletionSource();

        Assert.Equal(first.Values, (await source.FindAsync(CancellationToken.None)).Values);
        _source.Answers = new TaskCompletionSource();
        _source.Answers.SetResult();

        await Eventually.IsTrueAsync(async () => (await source.FindAsync(CancellationToken.None)).Values.AccessKey != first.Values.AccessKey);
    }

    [Fact]
    public async Task FindAsync_WhileTheSourceHangs_StartsFewerQueriesThanCallersCome()
    {
        var source = NewSource();
        _source.Answers.SetResult();
        await source.FindAsync(CancellationToken.None);
        _source.Answers = new TaskCompletionSource();

        var begun = Stopwatch.StartNew();
        for (var i = 0; i < 6; i++) await source.FindAsync(CancellationToken.None);

        // Each caller waits a second. Queries are replaced after 1, 2, 4 and so on, so their number grows with the logarithm of the time.
        Assert.InRange(_source.Asked, 2, 2 + Math.Ceiling(Math.Log2(1 + begun.Elapsed.TotalSeconds)));
    }

    [Fact]
    public async Task RereadAsync_WhenTwoWereRefusedTheSame_IsOneQuestion()
    {
        var source = NewSource();
        _source.Answers.SetResult();
        var refused = await source.FindAsync(CancellationToken.None);
        var other = await source.RereadAsync(refused, () => true, CancellationToken.None);
        _source.Fails = true;

        Assert.Equal(other.Values, (await source.RereadAsync(refused, () => true, CancellationToken.None)).Values);
    }

    [Fact]
    public async Task FindAsync_WhileARefusedCallerAsksAgain_IsWhatItGaveLast()
    {
        var source = NewSource();
        _source.Answers.SetResult();
        var first = await source.FindAsync(CancellationToken.None);
        _source.Answers = new TaskCompletionSource();

        var others = source.RereadAsync(first, () => true, CancellationToken.None);
        var found = await source.FindAsync(CancellationToken.None).WaitAsync(Eventually.Limit);
        _source.Answers.SetResult();

        Assert.Equal(first.Values, found.Values);
        Assert.NotEqual(first.Values, (await others).Values);
    }

    private CredentialSource NewSource() => new(Options.Create(new AwsClientOptions { Credentials = _source }));

    private sealed class Source : AWSCredentials
    {
        private int _asked;

        public TaskCompletionSource Answers { get; set; } = new();

        public bool Fails { get; set; }

        public int Asked => _asked;

        public override ImmutableCredentials GetCredentials() => throw new NotSupportedException();

        public override async Task<ImmutableCredentials> GetCredentialsAsync()
        {
            var times = Interlocked.Increment(ref _asked);
            await Answers.Task;
            return Fails ? throw new AmazonClientException("no") : new($"AKIAIOSFODNN7EXAMPL{times}", "secret", token: null);
        }
    }
}
