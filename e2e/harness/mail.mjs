// A mail server of the tests' own: what Joute sends stays in it, to be read.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, said } from './process.mjs';

// mailbox answers once the server is ready; smtp is its address for Joute.
export async function mailbox() {
  const dir = mkdtempSync(join(tmpdir(), 'joute-mail-'));
  const binary = process.env.JOUTE_MAILSINK || join(dir, 'mailsink');
  if (!process.env.JOUTE_MAILSINK) execFileSync('go', ['build', '-o', binary, './e2e/harness/mailsink'], { cwd: root, stdio: 'inherit' });
  const sink = spawn(binary, { stdio: ['pipe', 'pipe', 'inherit'] });
  const end = () => { sink.kill('SIGKILL'); rmSync(dir, { recursive: true, force: true }); };
  process.once('exit', end);
  const [, smtp, url] = await said(sink, /mail (\S+) (\S+)/);
  return new Mailbox(smtp, url, end);
}

class Mailbox {
  constructor(smtp, url, stop) { Object.assign(this, { smtp, url, stop }); }

  // letters waits until n mails to an address have come.
  async letters(to, n = 1) {
    for (const until = Date.now() + 20_000; ;) {
      const came = await (await fetch(`${this.url}/messages?${new URLSearchParams({ to })}`)).json() ?? [];
      if (came.length >= n) return came;
      if (Date.now() > until) throw new Error(`${came.length} of ${n} mails to ${to}`);
      await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
  }

  // code is the six digits of the nth mail to an address.
  async code(to, n = 1) {
    const { Text } = (await this.letters(to, n))[n - 1];
    return /\b\d{6}\b/.exec(Text)[0];
  }

  // link is the address in the nth mail that leads to a path.
  async link(to, n, path) {
    const { Text } = (await this.letters(to, n))[n - 1];
    return Text.match(/https?:\/\/\S+/g).find((link) => new RegExp(`^/${path}/[^/]+$`).test(new URL(link).pathname));
  }

  // down makes the server hang up on everybody, until it is up again.
  async down() { await fetch(`${this.url}/down`, { method: 'POST' }); }
  async up() { await fetch(`${this.url}/up`, { method: 'POST' }); }
}
