using Gateway.Commands;

return await GatewayProgram.InvokeAsync(args, ProgramEnvironment.OfProcess());
