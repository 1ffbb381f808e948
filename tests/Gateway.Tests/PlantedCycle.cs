#pragma warning disable IDE0130, SA1403 // Two namespaces in one file, none of them the folder's: a cycle for the test that looks for them.
namespace Gateway.Tests.Planted.Upper
{
    internal sealed class Caller
    {
        public Lower.Callee? Calls { get; init; }
    }
}

namespace Gateway.Tests.Planted.Lower
{
    internal sealed class Callee
    {
        public Upper.Caller? CalledBy { get; init; }
    }
}
