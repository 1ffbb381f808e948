using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Order;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Perfolizer.Horology;
using Pieces;

// In this process: a program that is generated and built for each benchmark would take longer than the benchmark.
var job = Job.ShortRun
    .WithToolchain(InProcessEmitToolchain.Instance)
    .WithIterationTime(TimeInterval.FromMilliseconds(250))
    .WithWarmupCount(5)
    .WithIterationCount(5);
var config = ManualConfig.CreateMinimumViable()
    .AddJob(job)
    .AddDiagnoser(new MemoryDiagnoser(new MemoryDiagnoserConfig(displayGenColumns: false)))
    .AddExporter(MarkdownExporter.GitHub)
    .HideColumns(Column.Type, Column.Error, Column.StdDev, Column.Median)
    .WithOrderer(new DefaultOrderer(SummaryOrderPolicy.Method))
    .WithOptions(ConfigOptions.JoinSummary)
    .WithArtifactsPath(Path.Combine(AppContext.BaseDirectory, "BenchmarkDotNet.Artifacts"));
BenchmarkSwitcher.FromAssembly(typeof(TokenLookup).Assembly).Run(args.Length > 0 ? args : ["--filter", "*"], config);
