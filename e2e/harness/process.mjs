// Programs that tests start, and the lines they are ready by.
import { fileURLToPath } from 'node:url';

// root is the folder of the Go module.
export const root = fileURLToPath(new URL('../..', import.meta.url));

// said waits for a line of a process's standard output.
export function said(child, line) {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (more) => {
      text += more;
      const found = line.exec(text);
      if (found) resolve(found);
    });
    child.once('exit', (code) => reject(new Error(`${child.spawnfile} ended with ${code}: ${text}`)));
    child.once('error', reject);
  });
}
