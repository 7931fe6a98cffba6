-- What both scripts begin with. The loader puts this text in front of the operation's own.

-- next_place is where a change stands among those of recent: its instant by the store's clock in ms, and
-- after every change so far, also where that clock was set back. Readers go on from the last place they
-- saw. The last one given is in visits, under no link's name; keep_place keeps it, before what stands there.
local function next_place(visits)
  local time, last = redis.call('TIME'), redis.call('HGET', visits, '')
  local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  return string.format('%.0f', math.max(now, (tonumber(last or 0) or 0) + 1))
end

local function keep_place(visits, place) redis.call('HSET', visits, '', place) end
