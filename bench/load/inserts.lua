-- New rows each time: one, or as many in one request as the argument says.
local number, rows = 0, 1
local function row()
  number = number + 1
  return string.format('{"title":"Bench %d","category":"books","price":%d.5,"stock":%d}', number, number % 100, number % 9)
end
function init(arguments)
  wrk.headers["Content-Type"] = "application/json"
  rows = tonumber(arguments[1] or 1)
  if rows > 1 then wrk.headers["Prefer"] = "return=minimal" end
end
function request()
  if rows == 1 then return wrk.format("POST", nil, nil, row()) end
  local all = {}
  for place = 1, rows do all[place] = row() end
  return wrk.format("POST", nil, nil, "[" .. table.concat(all, ",") .. "]")
end
