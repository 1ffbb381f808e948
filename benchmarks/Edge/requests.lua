-- Requests from a file, a line each: path, tab, a header. Built once, then sent in turn.
-- With a pause in milliseconds a connection waits that long, on average and as chance has it, before each.
local requests = {}
local sent = 0

function init(args)
  for line in io.lines(args[1]) do
    local path, header, value = line:match("^(%S+)\t([^:]+): (.+)$")
    requests[#requests + 1] = wrk.format("GET", path, { Host = wrk.headers["Host"], [header] = value })
  end
  local pause = tonumber(args[2])
  if pause then
    function delay()
      return math.floor(0.5 - pause * math.log(1 - math.random()))
    end
  end
end

function request()
  sent = sent % #requests + 1
  return requests[sent]
end

-- One line for the program that started this: requests, microseconds, failures, and percentiles in microseconds.
function done(summary, latency)
  local errors = summary.errors
  print(string.format("result %d %d %d %d %d",
    summary.requests, summary.duration, errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
