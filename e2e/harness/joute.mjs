// Joute as it is run: the binary over a Redis of its own that syncs every
// write, both gone when the test is.
import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { root, said } from './process.mjs';

export const key = 'organizer-key-of-the-browser-tests';

// start answers once Joute is ready. Browsers reach it as localhost: pages on
// 127.0.0.1 are another site. With the address of a mail server it sends e-mails.
export async function start({ smtp } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'joute-e2e-'));
  const children = [];
  const end = () => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  };
  process.once('exit', end);

  const binary = process.env.JOUTE_BINARY || join(dir, 'joute');
  if (!process.env.JOUTE_BINARY) execFileSync('go', ['build', '-o', binary, './cmd/joute'], { cwd: root, stdio: 'inherit' });

  const socket = join(dir, 'redis.sock');
  const redis = spawn('redis-server', ['--port', '0', '--unixsocket', socket, '--dir', dir, '--save', '', '--appendonly', 'yes',
    '--appendfsync', 'always', '--maxmemory-policy', 'noeviction'], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(redis);
  await said(redis, /Ready to accept connections|ready to accept connections/);

  const serve = spawn(binary, ['serve', '--listen', '127.0.0.1:0', '--redis', `unix://${socket}`, '--data', join(dir, 'data'), ...(smtp ? ['--smtp', smtp] : [])],
    { env: { ...process.env, JOUTE_ADMIN_KEY: key }, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(serve);
  let log = '';
  serve.stderr.on('data', (text) => { log += text; });
  const [, port] = await said(serve, /listening on http:\/\/127\.0\.0\.1:(\d+)/).catch((error) => { throw new Error(`${error.message}\n${log}`); });
  return new Joute(`http://localhost:${port}`, end, () => log, socket);
}

class Joute {
  constructor(url, stop, log, socket) { Object.assign(this, { url, stop, log, socket }); }

  // knowFarm puts a farm into the store as a detector leaves it (antifraud/gate/keys.go).
  knowFarm(contest, farm) {
    const redis = (...args) => execFileSync('redis-cli', ['-s', this.socket, ...args], { encoding: 'utf8' });
    const key = (name) => `joute:{${contest}/farms}:${name}`;
    redis('HSET', key('known'), farm.id, `${Date.parse(farm.expires)}|${JSON.stringify(farm)}`);
    redis('HSET', key('met'), farm.id, '151', `${farm.id}!`, '150');
    redis('SET', key('change'), farm.id);
    for (const name of ['known', 'met', 'change']) redis('PEXPIREAT', key(name), String(Date.parse(farm.expires)));
  }

  // ask is a request of the organizer, or of who holds a pass. On a busy machine it comes
  // again when it is told to, as everybody does.
  async ask(method, path, { body, pass = key } = {}, tries = 20) {
    const answer = await fetch(this.url.replace('localhost', '127.0.0.1') + path, {
      method, body: body && JSON.stringify(body), headers: { authorization: `Bearer ${pass}`, 'content-type': 'application/json' },
    });
    const text = await answer.text();
    if (answer.status === 503 && tries > 1 && JSON.parse(text).code === 'overloaded') {
      await setTimeout(Number(answer.headers.get('retry-after')) * 1000);
      return this.ask(method, path, { body, pass }, tries - 1);
    }
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text;
  }

  async call(method, path, how) { return JSON.parse(await this.ask(method, path, how)); }

  apply(document) { return this.call('PUT', `/v1/contests/${document.id}`, { body: document }); }
  // hall is the path of the wall that shows the presence code.
  async hall(contest) {
    const { url } = await this.call('POST', `/v1/contests/${contest}/halls`);
    return url.slice(new URL(url).origin.length);
  }

  // presence is the address that the wall's presence code carries now.
  async presence(contest) {
    const wall = await (await fetch(this.url + await this.hall(contest))).text();
    return /http:\/\/[^"]+\/p\/\w+/.exec(wall)[0];
  }

  close(contest) { return this.call('POST', `/v1/contests/${contest}/close`); }
  board(contest) { return this.call('GET', `/v1/contests/${contest}/leaderboard?limit=10000`); }

  // counted is how many ballots count, by the ledger, once the organizer's
  // leaderboard, which may be a moment behind, says so too.
  async counted(contest) {
    const last = new Map();
    for (const line of (await this.ask('GET', `/v1/contests/${contest}/ledger`)).split('\n').filter(Boolean)) {
      const record = JSON.parse(line);
      if (record.ballot) last.set(record.ballot, record.standing);
    }
    const counted = [...last.values()].filter((standing) => standing === 'counted').length;
    for (const until = Date.now() + 2000; ;) {
      const { totals } = await this.board(contest);
      if (totals.counted === counted) return counted;
      if (Date.now() > until) throw new Error(`the ledger counts ${counted}, the leaderboard ${totals.counted}`);
    }
  }

  async votes(contest, entry) {
    await this.counted(contest);
    return (await this.board(contest)).entries.find((row) => row.id === entry).votes;
  }

  // cast is the ballot of a new voter.
  async cast(contest, entry) {
    const { pass } = await this.call('POST', `/v1/contests/${contest}/passes`, { body: { level: 'device' } });
    return this.call('POST', `/v1/contests/${contest}/ballots`, { pass, body: { ballot: randomUUID(), entry } });
  }
}
