using System.Globalization;
using FsCheck;

namespace Testing;

/// <summary>
/// The seed of a test that generates its input. It is the same in every run, so that the result for a commit does not depend on chance. A variable sets another
/// one: to look further, or to repeat a run.
/// </summary>
/// <param name="Variable">The environment variable.</param>
/// <param name="Value">The seed.</param>
public readonly record struct Seed(string Variable, ulong Value)
{
    /// <summary>SplitMix's own step. With a small one, neighboring seeds generate the same input, only later.</summary>
    private const ulong Step = 0x9E3779B97F4A7C15;

    /// <summary>The seed that the variable names; without it, always the same.</summary>
    public static Seed Of(string variable) => new(
        variable,
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? ulong.Parse(text, CultureInfo.InvariantCulture) : 1);

    /// <summary>A generator of numbers for one of the threads that share the seed.</summary>
    public System.Random NewRandom(int thread = 0) => new((int)((Value + (ulong)thread) % int.MaxValue));

    /// <summary>Tries a property on generated input. A failure names the seed.</summary>
    public void Check(Property property, int count)
    {
        var config = Config.QuickThrowOnFailure.WithMaxTest(count).WithQuietOnSuccess(true)
            .WithReplay(new Replay(new Rnd(Value, Step), Microsoft.FSharp.Core.FSharpOption<int>.None));
        try
        {
            FsCheck.Check.One(config, property);
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException(ToString(), exception);
        }
    }

    public override string ToString() => $"{Variable}={Value}";
}
