// Namespaces in one file, none of them the folder's: a cycle for the test that looks for them, a root namespace included.
#pragma warning disable IDE0130, SA1403
namespace Gateway.Tests.Planted
{
    internal sealed class Root
    {
        public Upper.Caller? Holds { get; init; }
    }
}

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
        public Root? CalledBy { get; init; }
    }
}
