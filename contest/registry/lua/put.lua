-- put stores one version of a contest, if the contest is still what its caller
-- judged the change by.
--
-- KEYS[1] index    hash  contest id -> stamp
-- KEYS[2] contest  hash  see keys.go
-- ARGV    id, stamp judged by ('' = no such contest yet), instant in ms before
--         which the judgement holds (0 = for good), name of this put, document,
--         sealed secret ('' = none)
-- Replies {'stored'}: this put is in, now or by an earlier run of the same call
--         {'changed'}: the contest is not what it was judged by; read and judge again
--         {'late'}: an opening or a close has come since; judge again
--
-- The index comes first, and the contest in one command: of a write that a kill tears
-- (docs/decisions/0005-torn-writes.md) the index at most is left, which has every server
-- look again and find the contest as it was, and the next put writes both.

local id, judged, before, put = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local old = redis.call('HMGET', KEYS[2], 'put', 'epoch', 'revision', 'version')
local listed = redis.call('HGET', KEYS[1], id) -- the wrong type fails here, before anything is written
if old[1] == put then return {'stored'} end
local stamp = ''
if old[2] then stamp = old[2] .. '-' .. old[3] end
if stamp ~= judged then return {'changed'} end
local time = redis.call('TIME')
if before > 0 and tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) >= before then return {'late'} end

local epoch = old[2]
if not epoch then -- of a torn put the index may have one already, which servers have looked for in vain
  local torn = tonumber(string.match(listed or '', '^(%d+)-') or '0')
  epoch = string.format('%.0f', math.max(tonumber(time[1]), torn + 1))
end
local revision = string.format('%.0f', tonumber(old[3] or 0) + 1)
local version = string.format('%.0f', tonumber(old[4] or 0) + 1)
local values = { 'put', put, 'epoch', epoch, 'revision', revision, 'version', version, 'document', ARGV[5] }
if ARGV[6] ~= '' then -- a contest that has a secret keeps one: see judge
  values[#values + 1] = 'secret'
  values[#values + 1] = ARGV[6]
end
redis.call('HSET', KEYS[1], id, epoch .. '-' .. revision)
redis.call('HSET', KEYS[2], unpack(values))
return {'stored'}
