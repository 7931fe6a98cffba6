-- What every script of a contest's fans begins with. The loader puts this text
-- in front of the operation's own. Keys and the form of their values: keys.go.
--
-- Lua does not roll back: every script reads and checks all it needs, types
-- included, before its first write. A crash may tear the writes of a script
-- (docs/decisions/0005-torn-writes.md): they are in an order in which any
-- beginning of them is harmless, and which the same call, made again, completes.

local ASK_LIFE = 172800000 -- ms a request may wait for its confirmation: 48 hours
local HOUR, MINUTE = 3600000, 60000

-- text writes a number in full: Lua's own form has an exponent past 14 digits.
local function text(number)
  return string.format('%.0f', number)
end

-- now is the store's clock in ms.
local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- member_of is a member's value and its parts, or nil for who is none.
local function member_of(key, fan)
  local value = redis.call('HGET', key, fan)
  if not value or value == '' then return nil end
  local position, ask, school, wording, page, channel = string.match(value, '^(%d+%-%d+)|(%w+)|%d+|([^|]*)|([^|]*)|([^|]*)|([^|]*)|')
  if not position then error('corrupt fans: expected a member') end
  return { value = value, ask = ask, school = school, wording = wording, page = page, channel = channel }
end

-- count_of is how many members a school has.
local function count_of(key, school)
  local n = redis.call('HGET', key, '/' .. school) or '0'
  if not string.match(n, '^%d+$') then error('corrupt fans: expected a count') end
  return tonumber(n)
end

-- pending_of is the requests that wait, oldest first, without those past their life.
local function pending_of(key, at)
  local waiting = {}
  for ask, asked, rest in string.gmatch(redis.call('GET', key) or '', '(%w+)|(%d+)|([^\n]*)\n') do
    if at < tonumber(asked) + ASK_LIFE then
      waiting[#waiting + 1] = { ask = ask, asked = tonumber(asked), rest = rest }
    end
  end
  return waiting
end

local function find(waiting, ask)
  for _, one in ipairs(waiting) do
    if one.ask == ask then return one end
  end
end
