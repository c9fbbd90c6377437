-- Hold one seat. KEYS: seats, users. ARGV: seat, user, milliseconds, seats a user may have.
-- seats: a string of records, user u32 and expiry u64 (ms) each; users: a hash, user -> the (seat u32, expiry u64) that count for him.
-- Whatever is past its expiry is as if it were not there. Answers 1: held, 0: taken, -1: the user has his seats.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local at = ARGV[1] * 12
local record = redis.call('GETRANGE', KEYS[1], at, at + 11)
if #record == 12 then
  local _, expiry = struct.unpack('>I4I8', record)
  if expiry > now then return 0 end
end
local has = redis.call('HGET', KEYS[2], ARGV[2])
local kept, count = '', 0
if has then
  for i = 1, #has, 12 do
    local _, expiry = struct.unpack('>I4I8', has, i)
    if expiry > now then
      kept = kept .. string.sub(has, i, i + 11)
      count = count + 1
    end
  end
  if count >= tonumber(ARGV[4]) then return -1 end
end
local expiry = now + ARGV[3]
redis.call('SETRANGE', KEYS[1], at, struct.pack('>I4I8', ARGV[2], expiry))
redis.call('HSET', KEYS[2], ARGV[2], kept .. struct.pack('>I4I8', ARGV[1], expiry))
return 1
