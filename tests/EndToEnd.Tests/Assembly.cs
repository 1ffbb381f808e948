using Testing;
using Xunit;
using Xunit.Sdk;
using Xunit.v3;

// Each test starts processes of its own, and some load the machine.
[assembly: Parallelization(Mode = ParallelMode.None)]
[assembly: AssemblyFixture(typeof(SecretLeakCheck))]
