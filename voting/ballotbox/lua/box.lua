-- What every script of a ballot box begins with. The loader puts this text in
-- front of the operation's own.
--
-- KEYS[1] meta    hash    state, rules and place of the box
-- KEYS[2] tally   hash    counts: `entry`, `entry/last`, `entry/home`, `/held`, `/void`, `/withdrawn`
-- KEYS[3] ledger  stream  the records, but the first `trimmed` of them, which are on disk alone; an entry is a sheet:
--                         what one run of a script records at once, its id = millisecond-offset of the last
-- KEYS[4] frozen  hash    the tally as it stood at the freezing instant
--
-- Lua does not roll back: every script reads and checks all it needs, types
-- included, before its first write. After that nothing can fail.

local META, TALLY, LEDGER, FROZEN = KEYS[1], KEYS[2], KEYS[3], KEYS[4]

-- text writes a number in full: Lua's own form has an exponent past 14 digits. %d
-- takes a quarter of the time of %.0f, and these are all whole.
local function text(number)
  return string.format('%d', number)
end

-- integer reads a stored integer. Anything else is damage: better no answer
-- than a count built on it.
local function integer(value, missing)
  if not value then return missing end
  local number = value + 0 -- which fails for what is no number, and reads it once where tonumber does twice
  if number < 0 or number % 1 ~= 0 then error('corrupt ballot box: expected an integer') end
  return number
end

-- open_box reads meta and checks the types of the four keys. now is the store's
-- clock, read once, and never behind what the box has already stamped or
-- promised. Without a box it returns what to reply instead:
--   unconfigured   the box has no meta
--   torn           the ledger has a sheet that was never committed, or should be gone:
--                  see commit, and trim.lua
-- meta has few members, as each that is read costs what a small command does:
--   place     state|at|offset|frozen|sheets: at of the newest record in ms; frozen 0 or 1; sheets ever
--   rules     version|opens|closes|max|per|per_entry|undo|freeze|ties|expires, see configure.lua
--   trimmed   records|sheets that were taken out of the ledger; mark, forgotten; only where there is one
local function open_box()
  local m = redis.call('HMGET', META, 'place', 'rules', 'trimmed', 'mark')
  local sheets = redis.call('XLEN', LEDGER)
  if not m[1] then return nil, { 'unconfigured' } end
  local time = redis.call('TIME')
  local clock = time[1] * 1000 + math.floor(time[2] / 1000)
  local state, at, offset, frozen, committed = string.match(m[1], '^(%l+)|(%d+)|(%d+)|([01])|(%d+)$')
  local version, opens, closes, max, per, per_entry, undo, freeze, ties, expires =
    string.match(m[2] or '', '^(%d+)|(%d+)|(%d+)|(%d+)|(%l+)|(%d+)|(%d+)|(%d+)|(%l+)|(%d+)$')
  local trimmed, gone = string.match(m[3] or '0|0', '^(%d+)|(%d+)$')
  if not state or not version or not trimmed then error('corrupt ballot box: expected its place and rules') end
  local box = { -- digits become numbers by + 0: tonumber reads them twice
    state = state, at = at + 0, offset = offset + 0, frozen = frozen == '1', sheets = committed + 0, version = version + 0,
    opens = opens + 0, closes = closes + 0, max = max + 0, per = per, per_entry = per_entry + 0, undo = undo + 0,
    freeze = freeze + 0, ties = ties, expires = expires + 0, trimmed = trimmed + 0, gone = gone + 0, mark = integer(m[4], 0),
  }
  if sheets + box.gone > box.sheets then return nil, { 'torn' } end
  box.now = math.max(clock, box.at, box.mark)
  if box.freeze > 0 and not box.frozen then -- this script may be the one that freezes
    redis.call('HLEN', TALLY)
    redis.call('HLEN', FROZEN)
  end
  return box
end

-- freeze keeps the tally of the freezing instant before the first record after it.
local function freeze(box)
  local counts = redis.call('HGETALL', TALLY)
  for from = 1, #counts, 1000 do
    redis.call('HSET', FROZEN, unpack(counts, from, math.min(from + 999, #counts)))
  end
  redis.call('HSET', FROZEN, '/offset', text(box.offset))
  box.frozen = true
end

-- append appends a sheet of n ledger records of one kind, stamped now. The script must
-- end with commit.
--
-- The sheet has one field, named by the kind, with all records and their values behind one
-- another, as each value that is written costs more than its bytes: see record and,
-- in Go, sheet.go.
local function append(box, kind, values, n)
  if box.freeze > 0 and box.now >= box.freeze and not box.frozen then freeze(box) end
  box.offset = box.offset + n
  box.sheets = box.sheets + 1
  box.at = box.now
  box.recorded = true
  redis.call('XADD', LEDGER, string.format('%d-%d', box.at, box.offset), kind, values)
end

-- record appends a record. ids are those of the ballot and its voter, or of a voter
-- and who it is; what a record does not have is nil.
local function record(box, kind, actor, reasons, version, ids, standing, entry, school, policy, model)
  append(box, kind, actor .. '|' .. (reasons or '') .. '|' .. (version or '') .. '|' .. (standing or '')
    .. '|' .. (entry or '') .. '|' .. (school or '') .. '||' .. (policy or '') .. '|' .. (model or '') .. '|' .. (ids or ''), 1)
end

local function place_text(box)
  return string.format('%s|%d|%d|%d|%d', box.state, box.at, box.offset, box.frozen and 1 or 0, box.sheets)
end

-- commit says in meta what was recorded. It is the last write of every script
-- that records, while the sheet of its records is the first of those that count.
--
-- Why: Redis writes a script's effects to its file as one transaction. When it is
-- killed in the middle of that write, it cuts the file at the last whole command,
-- which may leave the beginning of the transaction; at the start after next, this
-- beginning runs. The ledger then has more sheets, with those that were trimmed, than were
-- ever committed.
local function commit(box, ...)
  if not box.recorded then return end
  redis.call('HSET', META, 'place', place_text(box), ...)
end

-- turn opens and closes the box when its time has come. Once closed it stays
-- closed, whatever the clock says later.
local function turn(box)
  if box.state == 'waiting' and box.now >= box.opens then
    box.state = 'open'
    record(box, 'open', 'organizer', 'scheduled', text(box.version))
  end
  if box.state == 'open' and box.now >= box.closes then
    box.state = 'closed'
    record(box, 'close', 'organizer', 'scheduled')
  end
end

-- A voter is kept as `start|used|entry=n,entry=n`: the turns used in one period, the
-- entries only where the rules limit them. Turns of an older period are none. A voter
-- found to be another one is kept as `=` and that voter.
local function turns_of(value, start)
  local turns = { start = start, used = 0, entries = {} }
  if not value then return turns end
  if string.sub(value, 1, 1) == '=' then
    turns.into = string.sub(value, 2)
    return turns
  end
  local from, used, entries = string.match(value, '^(%d+)|(%d+)|([^|]*)$')
  if not from then error('corrupt ballot box: expected the turns of a voter') end
  if tonumber(from) < start then return turns end
  turns.start, turns.used = tonumber(from), tonumber(used)
  for entry, n in string.gmatch(entries, '([^,=]+)=(%d+)') do turns.entries[entry] = tonumber(n) end
  return turns
end

local function turns_text(turns)
  if not next(turns.entries) then return string.format('%d|%d|', turns.start, turns.used) end
  local entries = {}
  for entry, n in pairs(turns.entries) do
    if n > 0 then entries[#entries + 1] = entry .. '=' .. text(n) end
  end
  table.sort(entries)
  return text(turns.start) .. '|' .. text(turns.used) .. '|' .. table.concat(entries, ',')
end

-- A ballot is kept as the first letter of its standing, a capital when its pass had been in
-- the hall (then it is one of `entry/home` while it counts), the instant of the cast
-- in ms as 6 bytes and the offset of its record as 5, highest first, and the entry;
-- behind a `|` the reasons, where there are any, and before them a `!` where an organizer decided
-- how it stands. form.go spells the same in Go.
local function ballot_of(value)
  if #value < 13 then error('corrupt ballot box: expected a ballot') end
  local letter = string.sub(value, 1, 1)
  local standing = ({ c = 'counted', h = 'held', v = 'void', w = 'withdrawn' })[string.lower(letter)]
  if not standing then error('corrupt ballot box: expected a ballot') end
  local a, b, c, d, e, f, g, h, i, j, k = string.byte(value, 2, 12)
  local bar = string.find(value, '|', 13, true) or #value + 1
  local ruled = string.sub(value, bar + 1, bar + 1) == '!'
  return {
    standing = standing, present = letter ~= string.lower(letter),
    at = ((((a * 256 + b) * 256 + c) * 256 + d) * 256 + e) * 256 + f,
    offset = (((g * 256 + h) * 256 + i) * 256 + j) * 256 + k,
    entry = string.sub(value, 13, bar - 1), reasons = string.sub(value, bar + (ruled and 2 or 1)), ruled = ruled,
  }
end

local floor, char = math.floor, string.char
local high, high_bytes = -1, ''
local last, last_bytes = -1, ''

-- ballot_text writes a ballot. Those of one script have their instant, and nearly
-- always the upper bytes of their offsets, in common: these are made once.
local function ballot_text(letter, at, offset, rest)
  if at ~= last then
    last, last_bytes = at, char(floor(at / 2^40) % 256, floor(at / 2^32) % 256, floor(at / 2^24) % 256,
      floor(at / 2^16) % 256, floor(at / 256) % 256, at % 256)
  end
  local low = offset % 65536
  if offset - low ~= high then
    high = offset - low
    high_bytes = char(floor(offset / 2^32) % 256, floor(offset / 2^24) % 256, floor(offset / 2^16) % 256)
  end
  return letter .. last_bytes .. high_bytes .. char((low - low % 256) / 256, low % 256) .. rest
end

-- answer commits, and is the one shape of a reply about a ballot: code, then the
-- same values in the same places. next is when the voter's period ends, 0 for never.
local function answer(code, box, used, next, b)
  commit(box)
  b = b or { standing = '', at = 0, offset = 0, entry = '', reasons = '' }
  return { code, box.now, used, box.max, next, box.opens, box.closes,
    b.standing, b.at, b.offset, b.entry, b.reasons, b.present and 1 or 0 }
end
