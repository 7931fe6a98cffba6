-- Cast ballots, each at most once.
--
-- KEYS 5 evidence stream  what was seen of attempts: an entry has those of one sheet of the ledger and its id;
--                         they are one field, in their order, each ended by a line end
--      6 held     zset    ballot .. voter of those held, by the instant of the cast
--      then of each ballot
--      voters     hash    voter -> turns used in the voter's newest period; ballot .. voter -> what became of the ballot
--      solved     string  the ballot that a challenge was solved for; only of a ballot for which one was
-- ARGV 1 how many bounds follow: of the periods around now, in ms, ascending; none for `contest`
--      then, all ballots' behind one another, the ledger's records of them, as record in box.lua writes them
--      and evidence of them, JSON, each ended by a line end
--      then of each ballot: ballot and voter, 16 bytes each; `c` to be counted, `h` to be held, a capital when the pass had been
--        in the hall; the entry. Where there is more to say, `+` before the letter and `|reasons|refusal|life` behind the
--        entry: reasons, space between; a refusal decided before; how long a solved challenge is remembered, in ms
--
-- Replies {shared, answer, …}, one answer a ballot
--   shared {state, now, max, next, opens, closes}   next is when the period ends, 0 for never
--   answer a number: accepted by this call, now, to be counted or held as it was to be, as the voter's first turn of the
--     period; its offset. It says what nearly all are told, and takes Redis the least.
--   answer `code|used`, as a text, since Redis takes its time with tables
--     accepted         …|offset: accepted by this call, now, as a later turn
--     duplicate        …|standing|at|offset|entry|reasons|present: accepted before, with today's standing and reasons
--     ballot-reused    this voter sent this ballot with another entry
--     phase-closed     before opens, at or after closes
--     already-voted    no turn left in the period, or none for this entry
--     the refusal      as decided before, on a ballot not seen before
--     challenge-used   the challenge was solved for another ballot
--   answer `joined|voter`: this voter is that one; cast again as that one
--   answer `again`: another ballot of this call has just changed what this one rests on: call again
-- or, for all, {shared}
--   {bounds, now}    now is in none of the periods: call again with bounds around now
--   {unconfigured}, {torn}   see open_box
--
-- All of it is read and checked before the first write, so a ballot that cannot be is no other's harm.
--
-- What is known of a ballot is in one list each, by its number in the call, and what is only handed on is one text: a
-- table or a text made for each takes Redis as long as a command, and it goes over every byte of a text to know it again.

local box, missing = open_box()
if not box then return { missing } end
local EVIDENCE, HELD = KEYS[5], KEYS[6]
local call, sub = redis.call, string.sub
local unseen = call('XLEN', EVIDENCE) == 0

local bounds = integer(ARGV[1])
local start, next = 0, 0
if box.per ~= 'contest' then
  start = nil
  for i = 2, bounds do
    local from, to = integer(ARGV[i]), integer(ARGV[i + 1])
    if box.now >= from and box.now < to then start, next = from, to end
  end
  if not start then return { { 'bounds', box.now } } end
end

-- fields are those of the tally that may change, places where they are, moved which of them have.
local fields, places, moved, many = {}, {}, {}, 0
local function counter(field)
  local place = places[field]
  if not place then
    place = many + 1
    fields[place], places[field], moved[place], many = field, place, false, place
  end
  return place
end
local hashes, ids, voters, letters, entries, turns, firsts, extras = {}, {}, {}, {}, {}, {}, {}, {}
local votes, homes = {}, {} -- the places that a ballot adds to
local key, n = 7, 0
for at = bounds + 4, #ARGV do
  n = n + 1
  local how = ARGV[at]
  local id, letter, entry, extra = sub(how, 1, 32), sub(how, 33, 33), sub(how, 34), nil
  if letter == '+' then
    local reasons, refusal, life
    letter, entry, reasons, refusal, life = string.match(entry, '^(.)([^|]*)|([^|]*)|([^|]*)|([^|]*)$')
    extra = { reasons = reasons, refusal = refusal, life = life }
  end
  local voter, hash = sub(how, 17, 32), KEYS[key]
  key = key + 1
  if extra and extra.life ~= '' then
    extra.solved, key = KEYS[key], key + 1
    extra.served = call('GET', extra.solved)
  end
  if letter == 'c' then
    votes[n] = counter(entry)
  elseif letter == 'C' then
    votes[n], homes[n] = counter(entry), counter(entry .. '/home')
  else
    votes[n] = counter('/held')
    call('ZCARD', HELD)
  end
  local kept = call('HMGET', hash, voter, id)
  hashes[n], ids[n], voters[n], letters[n], entries[n], extras[n] = hash, id, voter, letter, entry, extra or false
  turns[n], firsts[n] = kept[1] and turns_of(kept[1], start), kept[2] and ballot_of(kept[2])
end
local counts = call('HMGET', TALLY, unpack(fields))
for i = 1, many do counts[i] = integer(counts[i], 0) end

turn(box)

-- changed has the voters and challenges of which what was read is not so any more; news is
-- what is to be written to the tally, kept what accepted ballots are kept as.
local changed, news, kept, accepted = {}, {}, {}, 0
local function add(place) counts[place], moved[place] = counts[place] + 1, true end
local function refused(code, used) return code .. '|' .. text(used) end
local limited = box.per_entry < box.max

local function decide(i)
  local voter, entry, used_before, first, extra = voters[i], entries[i], turns[i], firsts[i], extras[i]
  if changed[voter] or (extra and extra.solved and changed[extra.solved]) then return 'again' end
  local used = used_before and used_before.used or 0
  if first then
    return table.concat({ first.entry == entry and 'duplicate' or 'ballot-reused', text(used),
      first.standing, text(first.at), text(first.offset), first.entry, first.reasons, first.present and '1' or '0' }, '|')
  end
  if used_before and used_before.into then return 'joined|' .. used_before.into end
  if extra then
    if extra.refusal ~= '' then return refused(extra.refusal, used) end
    if extra.served and extra.served ~= sub(ids[i], 1, 16) then return refused('challenge-used', used) end
  end
  if box.state ~= 'open' then return refused('phase-closed', used) end
  local spent = used_before and used_before.entries[entry] or 0
  if used >= box.max or (limited and spent >= box.per_entry) then return refused('already-voted', used) end

  changed[voter] = true
  accepted = accepted + 1
  local letter, offset = letters[i], box.offset + accepted
  add(votes[i])
  if homes[i] then add(homes[i]) end
  if box.ties == 'earliest' and letter ~= 'h' and letter ~= 'H' then
    news[#news + 1], news[#news + 2] = entry .. '/last', text(box.now)
  end
  if extra then
    if extra.solved then changed[extra.solved] = true end
    if extra.reasons ~= '' then entry = entry .. '|' .. extra.reasons end
  end
  kept[i] = ballot_text(letter, box.now, offset, entry)
  if used_before or limited then
    local now = used_before or turns_of(nil, start)
    now.used = used + 1
    if limited then now.entries[entries[i]] = spent + 1 end
    turns[i] = now
  end
  if used == 0 then return offset end
  return 'accepted|' .. text(used + 1) .. '|' .. text(offset)
end

local answers = { { box.state, box.now, box.max, next, box.opens, box.closes } }
for i = 1, n do answers[i + 1] = decide(i) end
if accepted == 0 then
  commit(box)
  return answers
end

local records, seen = ARGV[bounds + 2], ARGV[bounds + 3]
if accepted < n then -- of the accepted ones
  local some, lines, ends, i = {}, {}, 0, 0
  for line in string.gmatch(seen, '[^\n]*\n') do
    i = i + 1
    local _, bar = string.find(records, '^' .. string.rep('[^|]*|', 9), ends + 1)
    if kept[i] then some[#some + 1], lines[#lines + 1] = sub(records, ends + 1, bar + 32), line end
    ends = bar + 32
  end
  records, seen = table.concat(some), table.concat(lines)
end

-- Before the records: where a kill leaves these alone, a challenge is good for the same
-- ballot, which is not in the box, and for no other.
for i = 1, n do
  local extra = extras[i]
  if kept[i] and extra and extra.solved then call('SET', extra.solved, sub(ids[i], 1, 16), 'PX', extra.life) end
end
append(box, 'cast', records, accepted)
local fresh = turns_text({ start = start, used = 1, entries = {} })
for i = 1, n do
  if kept[i] then
    call('HSET', hashes[i], ids[i], kept[i], voters[i], turns[i] and turns_text(turns[i]) or fresh)
    if letters[i] == 'h' or letters[i] == 'H' then call('ZADD', HELD, text(box.at), ids[i]) end
  end
end
for place = 1, many do
  if moved[place] then news[#news + 1], news[#news + 2] = fields[place], text(counts[place]) end
end
call('HSET', TALLY, unpack(news))
call('XADD', EVIDENCE, string.format('%d-%d', box.at, box.offset), 'seen', seen)
if unseen then call('PEXPIREAT', EVIDENCE, text(box.expires)) end
commit(box)
return answers
