namespace Sandbox;

/// <summary>Why a signature is refused.</summary>
internal enum AwsSignatureProblem
{
    Missing,
    UnknownKey,
    Expired,
    DoesNotMatch,
}
