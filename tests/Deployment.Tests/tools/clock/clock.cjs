// Sets a Node program's clock: by the seconds in a file, which a test replaces. Timers and performance.now() go on.
const { readFileSync } = require('node:fs');
const now = Date.now;
Date.now = () => now() + Number(readFileSync(process.env.CLOCK_OFFSET, 'utf8')) * 1000;
