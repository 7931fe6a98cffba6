// Contest documents, open now whenever the tests run.
const at = (minutes) => new Date(Date.now() + minutes * 60_000).toISOString();

const schools = [
  ['lumiere', 'École Lumière', 'Lyon', 9000], ['vercors', 'Vercors Business School', 'Grenoble', 8000], ['beffroi', 'ESC du Beffroi', 'Lille', 9500],
  ['azur', 'Azur School of Management', 'Nice', 10000], ['grand-quai', 'Grand Quai Business School', 'Bordeaux', 15000],
  ['champagne', 'École de commerce Champagne', 'Reims', 9500], ['estuaire', "École de l'Estuaire", 'Nantes', 7500], ['garonne', 'Garonne Business School', 'Toulouse', 6000],
].map(([id, name, city, students]) => ({ id, name, city, students }));

const entries = [
  ['lumiere-1', 'lumiere', 'Mon stage, cette légende', 'https://www.youtube.com/watch?v=AAAAAAAAAA1'], ['lumiere-2', 'lumiere', 'Compétences : néant', 'https://vimeo.com/100000001'],
  ['vercors-1', 'vercors', 'Je parle couramment Excel', 'https://www.dailymotion.com/video/xaaaa01'], ['beffroi-1', 'beffroi', 'Autonome, surtout à la sieste'],
  ['azur-1', 'azur', 'Motivé par la cafétéria', 'https://www.youtube.com/watch?v=AAAAAAAAAA3'], ['grand-quai-1', 'grand-quai', 'Trois minutes de silence'],
  ['champagne-1', 'champagne', 'Références : ma mère'], ['estuaire-1', 'estuaire', 'Disponible en 2031'], ['garonne-1', 'garonne', 'Permis B, presque'],
].map(([id, school, title, video]) => ({ id, school, title, authors: ['BDE'], ...(video && { video }) }));

// contest is an open one with a ballot for each voter; more is laid over it.
export function contest(id, more = {}) {
  return {
    id, title: { fr: 'Le pire CV vidéo', en: 'The worst video CV' }, brand: 'Tremplin', accent: '#0b7a75', locale: 'fr', timezone: 'Europe/Paris', format: 'teams',
    phases: { voting: { opens: at(-120), closes: at(24 * 60) } },
    rules: { ballots: { max: 1, per: 'contest' } },
    scoring: { schools: { by: 'per_student', per: 1000 }, ties: 'shared' },
    links: { rules: 'https://example.org/reglement', privacy: 'https://example.org/vie-privee', contact: 'concours@example.org' },
    schools, entries, ...more,
  };
}

export const upcoming = (id) => contest(id, { phases: { voting: { opens: at(24 * 60), closes: at(48 * 60) } } });
export const hidden = (id) => contest(id, { results: { visibility: 'after_close' } });
export const frozen = (id) => contest(id, { phases: { voting: { opens: at(-120), closes: at(60) } }, results: { visibility: 'live', freeze: '90m' } });

// reviewed holds the ballot of whoever proves nothing.
export const reviewed = (id, more) => contest(id, { antifraud: { policy: { name: 'proof-please', weights: { unproven: 3 }, thresholds: { hold: 2 } } }, ...more });

// priced asks the ballot of whoever proves nothing for a challenge, also one that is
// pressed as fast as tests press: it holds nothing.
export const priced = (id, more) => contest(id, { antifraud: { policy: { name: 'a-price', weights: { unproven: 2 }, thresholds: { challenge: 2, hold: 40, reject: 50 } } }, ...more });

// unscreened counts every ballot at once, whatever it shows.
export const unscreened = (id, more) => contest(id, { antifraud: { policy: { name: 'only-tells', base: 'observe' } }, ...more });

// crowd casts some ballots, so that there is a ranking to look at.
export async function crowd(joute, id, counts = { 'lumiere-1': 5, 'vercors-1': 4, 'azur-1': 3, 'grand-quai-1': 2, 'lumiere-2': 1 }) {
  for (const [entry, n] of Object.entries(counts)) {
    await Promise.all(Array.from({ length: n }, () => joute.cast(id, entry)));
  }
}
