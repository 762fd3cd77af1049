-- A number behind the target, another one each time, up to the argument.
local base, most
function init(arguments)
  base, most = wrk.path, tonumber(arguments[1] or 100000)
  math.randomseed(7)
end
function request() return wrk.format("GET", base .. math.random(1, most)) end
