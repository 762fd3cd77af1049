-- A page of 20 rows, at another place each time.
local base
function init() base = wrk.path; math.randomseed(7) end
function request() return wrk.format("GET", base .. "?id=lt." .. math.random(100, 100000)) end
