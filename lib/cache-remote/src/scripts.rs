//! What runs on the server in one step, and the names of what it works on.
//!
//! The positions of the stream are plain ordinals, one more for each message, and begin anew with each epoch; no
//! clock of the server takes part in them. `epoch` holds the epoch's number and the server's run: after a restart
//! or a failover the run is another, and whoever joins first turns the epoch, because what the server then has may
//! be older than what nodes have heard.
//!
//! Scripts that answer numbers answer two, with the caller's echo before and a sum of all three behind them, so that
//! neither an answer to another question nor a damaged one is taken for this one's. An epoch that is not the caller's
//! is answered by nothing but the echo.

use kasoku_coherence::Key;
use xxhash_rust::xxh3::xxh3_128;

/// The names under which one cache keeps its things.
#[derive(Debug)]
pub(crate) struct Names {
    prefix: String,
    /// The stream of messages.
    pub(crate) changes: String,
    /// The epoch and the run that it belongs to.
    pub(crate) epoch: String,
    /// Live nodes, by when they cease to be.
    pub(crate) nodes: String,
    /// What each node has applied, and in which epoch.
    pub(crate) applied: String,
    /// There as long as nodes of an earlier epoch may hold themselves current that nobody has counted.
    pub(crate) young: String,
    /// The last fencing token.
    pub(crate) tokens: String,
}

/// A script, by its place in [`all`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    Join,
    Report,
    Publish,
    Reached,
    Store,
    Lease,
    Renew,
    Release,
}

/// The texts, in the order of [`Script`].
pub(crate) fn all() -> [String; 8] {
    [JOIN, REPORT, PUBLISH, REACHED, STORE, LEASE, RENEW, RELEASE]
        .map(|(flags, body)| format!("#!lua flags={flags}\n{CHECKED}{body}"))
}

/// The sum that scripts answer behind their echo and two numbers.
pub(crate) fn sum(echo: u64, numbers: [u64; 2]) -> u64 {
    (numbers[0] % 1_000_003 * 3 + numbers[1] % 1_000_003 * 7 + echo) % 1_000_003
}

/// Numbers of scripts have 53 bits, and are made whole when they are answered.
const CHECKED: &str = r"
local function checked(one, other)
  local sum = (one % 1000003 * 3 + other % 1000003 * 7 + ARGV[1]) % 1000003
  return {ARGV[1], string.format('%.0f', one), string.format('%.0f', other), string.format('%.0f', sum)}
end
";

impl Names {
    pub(crate) fn new(prefix: &str) -> Self {
        let name = |rest: &str| format!("{prefix}:{rest}");
        Self {
            prefix: prefix.to_owned(),
            changes: name("changes"),
            epoch: name("epoch"),
            nodes: name("nodes"),
            applied: name("applied"),
            young: name("young"),
            tokens: name("tokens"),
        }
    }

    pub(crate) fn entry(&self, key: &Key) -> String {
        self.of("e", key)
    }

    pub(crate) fn lease(&self, key: &Key) -> String {
        self.of("l", key)
    }

    /// The newest token that was given out for the key.
    pub(crate) fn newest(&self, key: &Key) -> String {
        self.of("t", key)
    }

    fn of(&self, kind: &str, key: &Key) -> String {
        format!("{}:{kind}:{:032x}", self.prefix, xxh3_128(key.bytes()))
    }
}

/// KEYS changes epoch nodes applied young. ARGV a new epoch, an epoch that is broken, bound.
///
/// Answers the epoch, the run, and the first and the last position. Turns the epoch if there is none, if it is the
/// broken one, or if it belongs to another run. Nodes stay counted through a turn, so that a publication waits for
/// those that have not noticed; where they cannot be known, `young` stands for them as long as they may hold
/// themselves current.
const JOIN: (&str, &str) = (
    "allow-oom",
    r"
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local epoch, last_run = string.match(redis.call('GET', KEYS[2]) or '', '^(%x+) (%x+)$')
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
if not epoch or not last or epoch == ARGV[2] or last_run ~= run then
  epoch = ARGV[1]
  redis.call('DEL', KEYS[1], KEYS[4])
  redis.call('SET', KEYS[2], epoch .. ' ' .. run)
  redis.call('XADD', KEYS[1], '1-0', 'e', epoch)
  redis.call('SET', KEYS[5], '1', 'PX', ARGV[3])
  last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
end
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
return {epoch, run, first[1], last[1]}
",
);

/// KEYS changes epoch nodes applied. ARGV echo, epoch and run, node, applied, node lifetime.
///
/// Tells that a node is alive and what it has applied; answers the last position, or nothing if the epoch is
/// another. It writes, so a server that cannot be written to makes nobody current.
const REPORT: (&str, &str) = (
    "allow-oom",
    r"
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
if not last or redis.call('GET', KEYS[2]) ~= ARGV[2] then return {ARGV[1]} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[3], now + ARGV[5], ARGV[3])
redis.call('HSET', KEYS[4], ARGV[3], ARGV[4])
for _, node in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', '(' .. now)) do
  redis.call('ZREM', KEYS[3], node)
  redis.call('HDEL', KEYS[4], node)
end
return checked(string.match(last[1], '^%d+'), 0)
",
);

/// KEYS changes epoch. ARGV echo, epoch and run, messages kept, bodies.
///
/// Appends messages and answers the last position, or nothing if the epoch is another.
const PUBLISH: (&str, &str) = (
    "allow-oom",
    r"
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
if not last or redis.call('GET', KEYS[2]) ~= ARGV[2] then return {ARGV[1]} end
local epoch = string.match(ARGV[2], '^%x+')
local position = tonumber(string.match(last[1], '^%d+'))
for i = 4, #ARGV do
  position = position + 1
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], string.format('%.0f-0', position), 'e', epoch, 'b', ARGV[i])
end
return checked(position, 0)
",
);

/// KEYS epoch nodes applied young. ARGV echo, epoch and run, position.
///
/// Answers how many live nodes have applied a position, and how many there are; or nothing if the epoch is another.
const REACHED: (&str, &str) = (
    "allow-oom",
    r"
if redis.call('GET', KEYS[1]) ~= ARGV[2] then return {ARGV[1]} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local nodes = redis.call('ZRANGEBYSCORE', KEYS[2], now, '+inf')
local reached = 0
for _, node in ipairs(nodes) do
  if tonumber(redis.call('HGET', KEYS[3], node) or '0') >= tonumber(ARGV[3]) then reached = reached + 1 end
end
return checked(reached, #nodes + redis.call('EXISTS', KEYS[4]))
",
);

/// KEYS entry lease newest epoch. ARGV echo, epoch and run, token, as_of, lifetime, entry.
///
/// Stores an entry, answering 0, unless the epoch is another, a newer token was given out (1), or what is there shows
/// more (2). The lease ends with it.
const STORE: (&str, &str) = (
    "",
    r"
if redis.call('GET', KEYS[4]) ~= ARGV[2] then return {ARGV[1]} end
local token = tonumber(ARGV[3])
if token > 0 and tonumber(redis.call('GET', KEYS[3]) or '0') > token then return checked(1, 0) end
local head = redis.call('GETRANGE', KEYS[1], 0, 39)
if #head == 40 and string.sub(head, 17, 24) == string.sub(ARGV[6], 17, 24)
  and struct.unpack('>I8', head, 25) > tonumber(ARGV[4]) then return checked(2, 0) end
redis.call('SET', KEYS[1], ARGV[6], 'PX', ARGV[5])
local lease = string.match(ARGV[2], '^%x+') .. ' ' .. ARGV[3]
if token > 0 and redis.call('GET', KEYS[2]) == lease then redis.call('DEL', KEYS[2]) end
return checked(0, 0)
",
);

/// KEYS lease newest tokens epoch entry. ARGV echo, epoch and run, lifetime, token memory, head of an entry or `*`.
///
/// Answers a token that was won; or 0 and for how long somebody else's is good, which is no time if there is another
/// entry by now than the one that was seen; or nothing if the epoch is another.
/// A lease holds its epoch and its token, for tokens may begin anew with an epoch.
const LEASE: (&str, &str) = (
    "",
    r"
if redis.call('GET', KEYS[4]) ~= ARGV[2] then return {ARGV[1]} end
local held = redis.call('PTTL', KEYS[1])
if held > 0 then return checked(0, held) end
if ARGV[5] ~= '*' and redis.call('GETRANGE', KEYS[5], 0, 39) ~= ARGV[5] then return checked(0, 0) end
local token = redis.call('INCR', KEYS[3])
local newest = tonumber(redis.call('GET', KEYS[2]) or '0')
if token <= newest then
  token = newest + 1
  redis.call('SET', KEYS[3], string.format('%.0f', token))
end
redis.call('SET', KEYS[2], string.format('%.0f', token), 'PX', ARGV[4])
redis.call('SET', KEYS[1], string.match(ARGV[2], '^%x+') .. string.format(' %.0f', token), 'PX', ARGV[3])
return checked(token, 0)
",
);

/// KEYS lease newest. ARGV echo, epoch and token, lifetime, token memory. Answers whether it is the caller's still.
const RENEW: (&str, &str) = (
    "",
    r"
if redis.call('GET', KEYS[1]) ~= ARGV[2] then return checked(0, 0) end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return checked(1, 0)
",
);

/// KEYS lease. ARGV echo, epoch and token. Nobody but the holder ends a lease.
const RELEASE: (&str, &str) = (
    "allow-oom",
    r"
if redis.call('GET', KEYS[1]) ~= ARGV[2] then return checked(0, 0) end
return checked(redis.call('DEL', KEYS[1]), 0)
",
);
