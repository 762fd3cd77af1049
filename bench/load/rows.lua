-- A row by key, another one each time.
local base
function init() base = wrk.path; math.randomseed(7) end
function request() return wrk.format("GET", base .. math.random(1, 100000)) end
