-- One new row each time.
local number = 0
function init() wrk.headers["Content-Type"] = "application/json" end
function request()
  number = number + 1
  local body = string.format('{"title":"Bench %d","category":"books","price":%d.5,"stock":%d}', number, number % 100, number % 9)
  return wrk.format("POST", nil, nil, body)
end
