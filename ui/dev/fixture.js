// A pretend shell, for looking at the pages without the application. Serve a folder that holds the files of dist and
// this folder's, then open index.html?scene=SCENE&theme=dark#/access. Scenes: usual, empty, offline, locked, signed-out,
// signing-in, changed, loading, broken, refuse. Nothing of this is part of the product.
const query = new URLSearchParams(location.search);
const scene = query.get('scene') ?? 'usual';
const start = Date.now();
const at = (minutes) => new Date(start + minutes * 60000).toISOString();
const hex = (n) => n.toString(16).padStart(2, '0').repeat(32);
const uuid = (n) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const person = (id, name, team) => ({ id, name, team });
const [maya, sam, priya, jonas, lena, tomas] = [
  person('maya', 'Maya Olsen', 'Payments'), person('sam', 'Sam Okafor', 'Shop'), person('priya', 'Priya Nair', 'Platform'),
  person('jonas', 'Jonas Weber', 'Platform'), person('lena', 'Lena Fischer', 'Security'), person('tomas', 'Tomás Rivera', 'Shop'),
];
const stage = (name, group, can, state = 'current', approved = [], needed = 1) =>
  ({ name, group, needed, approved, can_approve: can, state });
const senior = (state, approved) => stage('senior', 'Senior engineers', [priya, jonas], state, approved);
const owner = (state) => stage('owner', 'Shop', [tomas], state);
const security = (state) => stage('security', 'Security', [lena], state);
const automatic = (max = 14400) => ({ outcome: 'automatic', max_duration_s: max, ticket: false });
const needs = (stages, max = 7200, ticket = false) => ({ outcome: 'needs_approval', max_duration_s: max, ticket, stages });
const notNow = (why, until = null) => ({ outcome: 'not_now', why, until });
const freeze = notNow('Production is frozen for the autumn release: no changes until Monday.', at(3 * 24 * 60));
const levels = (...outcomes) => outcomes.map((outcome, i) => ({ level: ['read', 'write', 'admin'][i], outcome }));
const resource = (id, kind, environment, sensitivity, owner, description, levels, unavailable) =>
  ({ id, name: id, kind, environment, sensitivity, owner, description, tags: [], levels, ...(unavailable && { unavailable }) });
const soon = (what) => `Daypass cannot open ${what} yet. It is listed so that you know who owns it.`;
const R = [
  resource('shop-db', 'postgres', 'prod', 'high', 'Shop', 'Orders, carts and customers of the web shop',
    levels(needs([senior()]), needs([senior(), owner('later')], 3600, true), freeze)),
  resource('shop-db-staging', 'postgres', 'staging', 'moderate', 'Shop', 'Yesterday’s shop data without names', levels(automatic(28800), automatic(), needs([stage('peer', 'Engineering', [sam, tomas])]))),
  resource('billing-db', 'postgres', 'prod', 'critical', 'Payments', 'Invoices, ledgers and payment events', levels(needs([senior(), security('later')], 3600, true), needs([senior(), owner('later'), security('later')], 1800, true))),
  resource('billing-db-dev', 'postgres', 'dev', 'low', 'Payments', 'A small made-up copy for development', levels(automatic(28800), automatic(28800), automatic())),
  resource('analytics-warehouse-eu-central-replica', 'postgres', 'prod', 'moderate', 'Data', 'Everything the dashboards read, an hour behind, for the whole of Europe and some of the rest', levels(needs([stage('peer', 'Engineering', [sam, tomas, jonas, priya, lena])]))),
  resource('edge-gateway-eu', 'ssh', 'prod', 'high', 'Platform', 'Public ingress nodes', [], soon('SSH hosts')),
  resource('ci-runners', 'cloud_role', 'staging', 'moderate', 'Platform', 'Build fleet administration', [], soon('cloud roles')),
  resource('customer-vault', 'secrets', 'prod', 'critical', 'Security', 'Customer encryption keys', [], soon('secret stores')),
  resource('orders-cluster', 'kubernetes', 'prod', 'high', 'Platform', 'Order intake and fulfilment', [], soon('clusters')),
  resource('catalogue-db', 'postgres', 'staging', 'low', 'Shop', 'Products, prices and stock', levels(automatic(), needs([senior()]))),
  resource('feature-flags', 'web_app', 'prod', 'moderate', 'Platform', 'Rollout switches', [], soon('web apps')),
  resource('event-stream', 'queue', 'prod', 'moderate', 'Data', 'Orders and clicks as they happen', [], soon('queues')),
];
for (let i = 1; i <= Number(query.get('more') ?? 12); i++)
  R.push(resource(`service-${i}-db`, 'postgres', ['dev', 'staging', 'prod'][i % 3], ['low', 'moderate', 'high'][i % 3], ['Data', 'Platform', 'Shop'][i % 3], `State of service ${i}`, levels(automatic(), needs([senior()]))));
const brief = (id) => { const { id: i, name, kind, environment, sensitivity, owner } = R.find((r) => r.id === id); return { id: i, name, kind, environment, sensitivity, owner }; };
const factor = (id, label, points, max, sentence) => ({ id, label, points, max, sentence });
const band = (p) => (p < 25 ? 'low' : p < 50 ? 'moderate' : p < 75 ? 'high' : 'critical');
const risk = (points, level = 'write') => ({
  points, band: band(points),
  factors: [
    factor('sensitivity', 'Sensitivity', Math.round(points * 0.36), 25, 'High sensitivity, in production.'),
    factor('level', 'Access level', Math.round(points * 0.28), 20, level === 'read' ? 'Read can change nothing.' : `${level[0].toUpperCase()}${level.slice(1)} can change data.`),
    factor('hour', 'Hour', Math.round(points * 0.2), 15, '22:40 is outside your usual hours, 08:00 to 18:00.'),
    factor('burst', 'Burst', Math.round(points * 0.16), 15, 'Third production request in 20 minutes; you usually make one a day.'),
    factor('duration', 'Duration', 0, 10, 'Half an hour is usual here.'), factor('device', 'New device', 0, 10, 'Known for 40 days.'),
  ],
  lower: points > 30 ? [{ change: 'read instead of write', points_after: Math.round(points * 0.55) }, { change: '30 min instead of 1 h', points_after: points - 4 }] : [],
});
const request = (n, who, id, level, o = {}) => ({
  id: uuid(n), revision: 1, digest: hex(n), requester: who, entitlements: [{ resource: brief(id), level }], duration_s: 3600,
  cap_s: null, start: null, reason: 'Check the orders of a customer who was charged twice', ticket: null, submitted_at: at(-4), lapses_at: at(24 * 60),
  status: { status: 'pending' }, stages: [senior(), owner('later')], decisions: [], risk: risk(61, level), may_decide: false, past: null, ...o,
});
const grant = (n, id, level, from, to, o = {}) => ({
  id: uuid(n), request: uuid(n + 100), holder: maya, resource: brief(id), level, duration_s: (to - from) * 60, opened_at: at(from), not_before: null,
  starts_at: at(from), expires_at: at(to), status: { status: 'live' }, device: null, ...o,
});
const command = (id) => `psql "host=127.0.0.1 port=5433 dbname=${id.split('-')[0]} user=dp_7f3a91c2e0 sslmode=require"`;
const held = (g, credential = { state: 'here' }) => ({ grant: g, credential, command: credential.state === 'here' ? command(g.resource.id) : null });
const usual = () => ({
  revision: 1, now: at(0), clock_off_s: null, connection: { state: 'online' },
  server: { address: 'https://daypass.nordwind.example', organisation: 'Nordwind', fingerprint: 'A1B2 C3D4 E5F6 0718 293A 4B5C 6D7E 8F90 A1B2 C3D4 E5F6 0718 293A 4B5C 6D7E 8F90' },
  me: { person: maya, email: 'maya.olsen@nordwind.example', groups: ['engineering', 'senior-engineers'], reviews: true, security: false },
  keychain: { state: 'ready' }, catalogue_revision: 1,
  requests: [
    request(1, maya, 'shop-db', 'write', { stages: [senior('done', [priya]), owner('current')], ticket: 'SHOP-1871', decisions: [] }),
    request(2, maya, 'billing-db', 'read', { status: { status: 'asked', by: lena, note: 'Which customers, and until when do you need it?' }, stages: [senior(), security('later')], reason: 'Invoices of March do not add up', submitted_at: at(-32) }),
    request(131, maya, 'shop-db-staging', 'read', { status: { status: 'approved', at: at(-22), duration_s: 3600 }, reason: 'Try the new index before the release', stages: [] }),
    request(5, maya, 'catalogue-db', 'write', { status: { status: 'denied', by: jonas, note: 'Please use the import job for this' }, submitted_at: at(-1500) }),
  ],
  reviews: [
    request(11, sam, 'shop-db', 'write', { may_decide: true, past: { approved: 4, denied: 0, last: at(-6000) }, reason: 'A customer was charged twice for order 48213. I remove the second payment row and check that the refund went out.', ticket: 'SHOP-1902', stages: [senior(), owner('later')], submitted_at: at(-11) }),
    request(12, tomas, 'billing-db', 'read', { may_decide: true, past: { approved: 0, denied: 0, last: null }, risk: risk(78, 'read'), duration_s: 5400, cap_s: 1800, reason: 'Numbers for the auditors', stages: [senior('done', [priya]), stage('senior', 'Senior engineers', [jonas, maya])], decisions: [{ by: priya, stage: 'senior', verdict: 'approve_with_less', duration_s: 1800, note: 'Half an hour is plenty for an export', at: at(-6) }], submitted_at: at(-54) }),
    request(13, lena, 'shop-db-staging', 'admin', { may_decide: true, past: { approved: 1, denied: 1, last: at(-20000) }, risk: risk(22, 'admin'), reason: 'Rehearse the rotation of database roles before we do it in production next week', start: at(600), stages: [stage('peer', 'Engineering', [maya, sam])], submitted_at: at(-1) }),
  ],
  grants: [
    held(grant(31, 'shop-db-staging', 'read', -22, 38)),
    held(grant(32, 'catalogue-db', 'write', -26, 4.2), { state: 'failed', message: 'The keychain is locked: unlock it and try again.' }),
    held(grant(33, 'analytics-warehouse-eu-central-replica', 'read', -2, 58, { status: { status: 'opening', problem: 'The database does not answer (connection refused).' }, starts_at: null, expires_at: null }), { state: 'none' }),
    held(grant(34, 'billing-db-dev', 'write', -200, -140, { status: { status: 'ended', at: at(-140), why: { why: 'expired' } } }), { state: 'wiped' }),
    held(grant(35, 'shop-db', 'read', -400, -380, { status: { status: 'ended', at: at(-380), why: { why: 'revoked', by: lena, note: 'Incident 12: all production access closed' } } }), { state: 'wiped' }),
  ],
  favourites: [{ resource: 'shop-db', level: 'write' }], recent: [{ resource: 'shop-db-staging', level: 'read' }, { resource: 'catalogue-db', level: 'write' }],
  notices: query.has('notice') ? [{ id: 1, tone: 'Good', text: 'Priya Nair approved your request for shop-db.', page: { page: 'my_access' } }] : [],
  settings: { theme: query.get('theme') === 'dark' ? 'Dark' : 'Light', notifications: true, start_at_login: false },
});
const scenes = {
  empty: { requests: [], reviews: [], grants: [], favourites: [], recent: [] },
  offline: { connection: { state: 'offline', since: at(-7), message: 'The server does not answer.' } },
  locked: { keychain: { state: 'locked', message: 'Unlock it to use or to wipe passwords; Daypass goes on by itself.' }, clock_off_s: 95 },
  'signed-out': { connection: { state: 'signed_out', message: query.get('message') }, me: null },
  changed: { connection: { state: 'signed_out', message: null }, me: null },
  'signing-in': { connection: { state: 'signing_in', address: 'https://daypass.nordwind.example' }, me: null },
};
const snapshot = { ...usual(), ...scenes[scene] };
// The fixture speaks as the real shell does; a case that serde writes differently would show as the error page.
const lower = (s) => s.toLowerCase();
snapshot.settings.theme = lower(snapshot.settings.theme);
for (const n of snapshot.notices) n.tone = lower(n.tone);
const kinds = ['RequestSubmitted', 'RequestApproved', 'GrantActivated', 'CredentialIssued', 'GrantEnded', 'CredentialWiped', 'RequestDenied', 'SignedIn'];
const texts = ['Maya Olsen asked for read on shop-db-staging for 1 h', 'Priya Nair approved it for 1 h', 'Read on shop-db-staging is live', 'The password went to this device', 'Read on shop-db-staging ended: its time was over', 'This device wiped the password', 'Jonas Weber denied write on catalogue-db', 'Maya Olsen signed in on this device'];
const snake = (s) => s.replace(/(?<!^)([A-Z])/g, '_$1').toLowerCase();
const entries = Array.from({ length: 34 }, (_, i) => ({
  position: 900 - i * 3, at: at(-i * 97 - 3), kind: snake(kinds[i % 8]), actor: i % 8 === 1 ? priya : maya, subject: maya, request: uuid(131), grant: null,
  resources: i % 8 === 7 ? [] : [{ resource: brief(i % 8 === 6 ? 'catalogue-db' : 'shop-db-staging'), level: 'read' }], text: texts[i % 8],
  note: i % 8 === 0 ? 'Try the new index before the release' : i % 8 === 6 ? 'Please use the import job for this' : null,
  risk: i % 8 === 0 ? { points: 22, band: 'low' } : null, waits_for: [], expires_at: null, leaf: hex(i),
}));
const replies = {
  hello: () => (scene === 'broken' ? { reply: 'snapshot', with: { revision: 'odd' } } : { reply: 'snapshot', with: snapshot }),
  catalogue: () => (scene === 'loading' ? new Promise(() => {}) : { reply: 'catalogue', with: scene === 'empty' ? [] : R }),
  find_server: () => ({ reply: 'server', with: { ...snapshot.server, version: '0.1.0', trust: scene === 'changed' ? 'changed' : 'new' } }),
  preview: ({ ask }) => {
    const [e] = ask.entitlements;
    const outcome = R.find((r) => r.id === e.resource).levels.find((l) => l.level === e.level).outcome;
    const grant = snapshot.grants.find((g) => g.grant.resource.id === e.resource && g.grant.level === e.level && g.grant.status.status === 'live');
    const points = { read: 18, write: 52, admin: 70 }[e.level] + Math.round(ask.duration_s / 800);
    return { reply: 'preview', with: { outcome, risk: risk(points, e.level), held: grant?.grant ?? null, problems: [] } };
  },
  submit: ({ id, ask }) => ({ reply: 'request', with: request(1, maya, ask.entitlements[0].resource, ask.entitlements[0].level, { id, reason: ask.reason }) }),
  edit: ({ ask }) => replies.submit({ id: uuid(1), ask }),
  decide: () => ({ reply: 'request', with: snapshot.reviews[0] }),
  history: ({ filter }) => {
    const found = scene === 'empty' ? [] : entries.filter((e) => filter.text.toLowerCase().split(/\s+/).every((w) => e.text.toLowerCase().includes(w)));
    return { reply: 'history', with: { entries: filter.before ? found.slice(20) : found.slice(0, 20), more: !filter.before && found.length > 20, total: found.length, synced_at: at(-2) } };
  },
  export_history: () => ({ reply: 'exported', with: { path: '/home/maya/Downloads/daypass-history-2026-11-24.jsonl', entries: 34 } }),
};
const refuse = { code: 'offline', message: 'The server does not answer. Nothing was lost: try again in a moment.', problems: [] };
window.__TAURI__ = {
  core: {
    invoke: async (_command, { intent }) => {
      console.log(JSON.stringify(intent));
      await new Promise((done) => setTimeout(done, 30));
      if (scene === 'refuse' && !['hello', 'catalogue', 'painted', 'preview'].includes(intent.intent)) throw refuse;
      return replies[intent.intent]?.(intent.with ?? {}) ?? { reply: 'done' };
    },
  },
  event: { listen: async () => () => {} },
};
// "?do=a;b" presses what carries those names one after the other; "?type=name=text" fills a field first.
addEventListener('load', async () => {
  const find = async (name) => { for (let i = 0; i < 60; i++) { const e = document.querySelector(`[data-test="${name}"]`); if (e) return e; await new Promise((r) => setTimeout(r, 50)); } };
  for (const step of (query.get('do') ?? '').split(';').filter(Boolean)) {
    const [name, text] = step.split('=');
    const element = await find(name);
    if (text === undefined) element?.click();
    else { element.value = text; element.dispatchEvent(new InputEvent('input', { bubbles: true })); }
    await new Promise((r) => setTimeout(r, 150));
  }
});
