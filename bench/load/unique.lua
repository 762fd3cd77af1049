-- A target that nobody has asked for yet, each time: rounds begin in different seconds.
local base, number = nil, 0
function init() base = wrk.path .. "/" .. os.time() .. "-" end
function request()
  number = number + 1
  return wrk.format(nil, base .. number)
end
