// The gateway's console. It asks the API of its own page for what the open page shows, every two seconds or as often as the API says. Everything that it
// shows is text: no response ever becomes markup, and the page's policy refuses it. The token is in one variable of this file, and nowhere else.
'use strict';
(() => {
  const POLL = 2000, TIMEOUT = 8000, INVALIDATION_TIMEOUT = 20000, GRACE = 4000;
  const byId = id => document.getElementById(id);
  const pages = [...document.querySelectorAll('[data-page]')].map(page => page.id);

  let token = null;
  let session = 0;          // Counts signs-in and -out, so that a response to an earlier one is dropped.
  let timer = 0;
  let pollAfter = POLL;
  let lastResponse = 0;
  let lastResponseAt = null;
  let started = null;
  let notice = '';
  let selectedRoute = null;
  let routes = [];
  let events = null;

  // ---- DOM ----

  const element = (name, text, className) => {
    const made = document.createElement(name);
    if (text !== undefined && text !== null) made.textContent = text;
    if (className) made.className = className;
    return made;
  };

  const setText = (node, text) => {
    const wanted = text === undefined || text === null ? '' : String(text);
    if (node.textContent !== wanted) node.textContent = wanted;
  };

  // Makes a table body's rows those of the items. Rows are kept by key, so that the focus stays where it is.
  // A column is { label, text, className, button }; button(item) is called on a click.
  function fill(body, items, keyOf, columns) {
    const known = new Map([...body.rows].map(row => [row.dataset.key, row]));
    const used = new Set();
    const focused = document.activeElement;
    items.forEach((item, index) => {
      const key = String(keyOf(item));
      let row = known.get(key);
      if (!row || used.has(key)) {
        row = element('tr');
        row.dataset.key = key;
        for (const column of columns) {
          const cell = element('td');
          cell.dataset.label = column.label;
          const content = cell.appendChild(element(column.button ? 'button' : 'span'));
          if (column.button) {
            content.type = 'button';
            content.className = 'link';
            content.addEventListener('click', () => column.button(row.item));
          }
          row.append(cell);
        }
      }
      used.add(key);
      row.item = item;
      columns.forEach((column, at) => {
        const cell = row.cells[at];
        setText(cell.firstChild, column.text(item));
        const className = typeof column.className === 'function' ? column.className(item) : column.className || '';
        if (cell.className !== className) cell.className = className;
      });
      if (body.rows[index] !== row) body.insertBefore(row, body.rows[index] || null);
    });
    while (body.rows.length > items.length) body.rows[items.length].remove();
    // A row loses the focus when it moves.
    if (document.activeElement !== focused && body.contains(focused)) focused.focus({ preventScroll: true });
  }

  function describe(list, pairs) {
    const wanted = pairs.filter(pair => pair[1] !== undefined && pair[1] !== null && pair[1] !== '');
    const same = list.children.length === wanted.length * 2
      && wanted.every((pair, index) => list.children[index * 2].textContent === pair[0]);
    if (!same) list.replaceChildren(...wanted.flatMap(pair => [element('dt', pair[0]), element('dd')]));
    wanted.forEach((pair, index) => {
      setText(list.children[index * 2 + 1], pair[1]);
      list.children[index * 2 + 1].className = pair[2] || '';
    });
  }

  function sparkline(values, label) {
    const space = 'http://www.w3.org/2000/svg';
    const drawing = document.createElementNS(space, 'svg');
    drawing.setAttribute('viewBox', '0 0 100 30');
    drawing.setAttribute('preserveAspectRatio', 'none');
    drawing.setAttribute('role', 'img');
    drawing.setAttribute('aria-label', label);
    const line = document.createElementNS(space, 'polyline');
    const most = Math.max(...values, 1e-9);
    line.setAttribute('points', values.map((value, index) => `${(index * 100 / Math.max(values.length - 1, 1)).toFixed(1)},${(29 - value * 28 / most).toFixed(1)}`).join(' '));
    drawing.append(line);
    return drawing;
  }

  // ---- words ----

  const time = text => text ? new Date(text).toISOString().replace('T', ' ').replace(/\.\d+Z/, ' UTC') : '';
  const clock = text => text ? new Date(text).toISOString().slice(11, 19) : '';
  const number = value => value === undefined || value === null ? '–' : value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
  const ago = (from, now) => {
    const seconds = Math.max(0, Math.round((new Date(now) - new Date(from)) / 1000));
    return seconds < 60 ? `${seconds} s` : seconds < 3600 ? `${Math.floor(seconds / 60)} min` : seconds < 172800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86400)} d`;
  };
  const health = status => status === 'Healthy' ? 'good' : status === 'Degraded' ? 'warn' : status === 'Unhealthy' ? 'bad' : '';
  const outcomeNames = { l1: 'memory (L1)', redis: 'Redis (L2)', sts: 'STS', degraded: 'expiring, STS cannot be asked' };
  const refreshNames = { credentials: 'credentials', endpoint: 'IoT endpoints', place: 'places from the directory' };
  const outcomeName = name => outcomeNames[name] || `failed: ${name}`;

  // ---- the API ----

  // The limit is that of the whole response: its body can stop halfway.
  const call = (path, options = {}, timeout = TIMEOUT) => fetch(path, {
    ...options, headers: { Authorization: `Bearer ${token}`, Accept: 'application/json', 'X-Poll-After-Ms': POLL, ...options.headers },
    signal: AbortSignal.timeout(timeout), cache: 'no-store', credentials: 'omit', redirect: 'error',
  });

  const refusal = status =>
    status === 401 ? 'The token was refused (401): it has expired, or no issuer that the gateway knows has signed it.'
      : status === 403 ? 'The token is valid, but Management:AuthorizationPolicy does not allow its caller (403).'
        : status === 429 ? 'Too many tokens were refused from this address (429). Try again in a minute.'
          : null;

  // Gets JSON. Signs out if the token is refused, and throws if the gateway does not respond.
  async function get(path, options) {
    const mine = session;
    const response = await call(path, options);
    if (mine !== session) return null;
    const problem = refusal(response.status);
    if (problem) {
      signOut(problem);
      return null;
    }
    if (!response.ok) throw new Error(`status ${response.status}`);
    const body = await response.json();
    if (mine !== session) return null;
    lastResponse = performance.now();
    pollAfter = Number(response.headers.get('X-Poll-After-Ms')) || POLL;
    lastResponseAt = body.now || new Date().toISOString();
    if (body.started) {
      if (started && started !== body.started) notice = `The gateway was restarted at ${clock(body.started)} UTC.`;
      started = body.started;
    }
    return body;
  }

  async function poll() {
    clearTimeout(timer);
    if (token === null) return;
    const mine = session;
    try {
      if (!document.hidden) await show[currentPage()]();
    } catch {
      // The next poll tries again; the state line says since when there is no response.
      pollAfter = POLL;
    }
    if (mine !== session) return;
    tellState();
    clearTimeout(timer);
    timer = setTimeout(poll, pollAfter);
  }

  function tellState() {
    const isStale = token !== null && !document.hidden && performance.now() - lastResponse > pollAfter + GRACE;
    document.body.classList.toggle('stale', isStale);
    byId('state').className = isStale ? 'stale' : '';
    setText(byId('state'), token === null ? '' : isStale ? `Stale: no response since ${clock(lastResponseAt)} UTC. Trying again.` : notice || 'Live');
  }

  // ---- signing in and out ----

  async function signIn(given) {
    token = given.replace(/^(Authorization:\s*)?Bearer\s+/i, '').trim();
    session++;
    setText(byId('sign-in-problem'), '');
    try {
      if (!/^[!-~]+$/.test(token)) throw new Error('This is not a token: it holds spaces or other characters that no token has.');
      if (!await get('/api/status')) return;
    } catch (problem) {
      signOut(problem instanceof TypeError || problem instanceof DOMException ? 'The gateway does not respond.' : problem.message);
      return;
    }
    notice = '';
    byId('sign-in').hidden = true;
    byId('nav').hidden = false;
    byId('sign-out').hidden = false;
    open();
    // The field that had the focus is hidden.
    byId('nav').querySelector('[aria-current]').focus();
  }

  function signOut(problem) {
    token = null;
    session++;
    clearTimeout(timer);
    started = null;
    selectedRoute = null;
    routes = [];
    events = null;
    if (byId('confirm').open) byId('confirm').close('no');
    for (const body of document.querySelectorAll('tbody, #cards, dl, #explanation, #findings')) body.replaceChildren();
    for (const input of document.querySelectorAll('#explain-form input, #invalidate-form input')) input.value = input.defaultValue;
    setText(byId('invalidated'), '');
    for (const page of pages) byId(page).hidden = true;
    byId('route-detail').hidden = true;
    byId('nav').hidden = true;
    byId('sign-out').hidden = true;
    byId('sign-in').hidden = false;
    setText(byId('sign-in-problem'), problem || '');
    byId('token').focus();
    tellState();
  }

  // ---- the identity provider: the code flow with PKCE. The state and the verifier outlive the redirect in this tab; the token is never stored. ----

  const KEPT = 'console.sign-in';
  const base64url = bytes => btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

  async function json(address, options) {
    const response = await fetch(address, { ...options, credentials: 'omit' });
    if (!response.ok) throw new Error(`status ${response.status}`);
    return response.json();
  }

  const redirect = () => `${location.origin}/console`;
  const discovery = settings => json(`${settings.authority.replace(/\/$/, '')}/.well-known/openid-configuration`);

  async function leaveForProvider(settings) {
    const [provider, state, verifier] = [await discovery(settings), random(), random()];
    const challenge = base64url(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)));
    sessionStorage.setItem(KEPT, JSON.stringify({ state, verifier }));
    const address = new URL(provider.authorization_endpoint);
    if (address.protocol !== 'https:' && address.protocol !== 'http:') throw new Error('its authorization endpoint is no web address');
    const asked = { response_type: 'code', client_id: settings.clientId, redirect_uri: redirect(), scope: settings.scope, state, code_challenge: challenge, code_challenge_method: 'S256' };
    for (const [name, value] of Object.entries(asked)) address.searchParams.set(name, value);
    location.assign(address);
  }

  async function returnFromProvider(settings, response) {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) || '{}');
    sessionStorage.removeItem(KEPT);
    if (!kept.state || kept.state !== response.get('state')) throw new Error('the response is not for this page');
    if (!response.get('code')) throw new Error(`it says ${response.get('error') || 'nothing'}`);
    const provider = await discovery(settings);
    const grant = { grant_type: 'authorization_code', client_id: settings.clientId, redirect_uri: redirect(), code: response.get('code'), code_verifier: kept.verifier };
    const granted = await json(provider.token_endpoint, { method: 'POST', body: new URLSearchParams(grant) });
    await signIn(String(granted.access_token));
  }

  async function offerProvider() {
    const response = new URLSearchParams(location.search);
    // The code is of no use without the verifier, and is gone from the address and the history all the same.
    if (location.search) history.replaceState(null, '', `/console${location.hash}`);
    try {
      const settings = await json('/console/sign-in.json');
      if (!settings.authority) return;
      // Browsers hash only on https, and on this machine.
      if (!crypto.subtle) throw new Error('the console has to be opened by https, or on this machine');
      byId('provider').hidden = false;
      byId('provider-sign-in').addEventListener('click', () => leaveForProvider(settings).catch(tell));
      if (response.has('state')) await returnFromProvider(settings, response);
      else if (response.has('sign-in')) await leaveForProvider(settings);
    } catch (problem) {
      tell(problem);
    }

    function tell(problem) {
      setText(byId('sign-in-problem'), `The identity provider cannot be used: ${problem.message}.`);
    }
  }

  // ---- pages ----

  const currentPage = () => pages.includes(location.hash.slice(1)) ? location.hash.slice(1) : pages[0];

  function open() {
    if (token === null) return;
    const current = currentPage();
    for (const page of pages) byId(page).hidden = page !== current;
    for (const link of byId('nav').children) {
      if (link.hash === `#${current}`) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    document.title = `${byId(`${current}-title`).textContent} – Gateway console`;
    poll();
  }

  function card(title, value, values, what) {
    const made = element('div', null, 'card');
    made.append(element('div', title), element('div', value, 'value'), sparkline(values, `${title}, last 15 minutes. ${what}`));
    return made;
  }

  const show = {
    async overview() {
      const status = await get('/api/status');
      if (!status) return;
      const traffic = status.traffic, minute = traffic.lastMinute || {};
      setText(byId('recorded'), `Recording since ${time(traffic.since)}. The gateway has been running since ${time(status.started)}.`);
      const perSecond = values => values.map(value => value / traffic.slotSeconds);
      const highest = values => `Highest ${number(Math.max(...values, 0))}`;
      byId('cards').replaceChildren(...[
        ['Requests/s', minute.rate, perSecond(traffic.requests)], ['Refused/s', minute.refusedRate, perSecond(traffic.refused)],
        ['Errors/s (5xx)', minute.errorRate, perSecond(traffic.errors)], ['Latency p50, ms', minute.p50, traffic.p50], ['Latency p99, ms', minute.p99, traffic.p99],
      ].map(([title, value, values]) => card(title, number(value), values, highest(values))));
      fill(byId('checks'), status.checks, check => check.name, [
        { label: 'Name', text: check => check.name }, { label: 'Status', text: check => check.status, className: check => health(check.status) },
        { label: 'Since', text: check => `${time(check.since)} (${ago(check.since, status.now)})` }, { label: 'Why', text: check => check.description },
      ]);
      const vends = Object.entries(status.vends), all = vends.reduce((sum, vend) => sum + vend[1], 0);
      fill(byId('levels'), vends, vend => vend[0], [
        { label: 'Outcome', text: vend => outcomeName(vend[0]) }, { label: 'Vends', text: vend => vend[1], className: 'number' },
        { label: 'Share', text: vend => all ? `${(vend[1] * 100 / all).toFixed(1)} %` : '–', className: 'number' },
      ]);
    },

    async routes() {
      const body = await get('/api/routes');
      if (!body) return;
      routes = body.routes;
      fillRoutes();
      const route = selectedRoute;
      if (route === null) return;
      const refused = await get(`/api/events?route=${encodeURIComponent(route)}`);
      if (refused && selectedRoute === route) fillRefused(refused.refused, refused.recorded);
    },

    async clusters() {
      const body = await get('/api/clusters');
      if (!body) return;
      const rows = body.clusters.flatMap(cluster => cluster.destinations.length
        ? cluster.destinations.map(destination => ({ cluster: cluster.cluster, ...destination })) : [{ cluster: cluster.cluster, destination: 'none' }]);
      fill(byId('destinations'), rows, row => `${row.cluster} ${row.destination}`, [
        { label: 'Cluster', text: row => row.cluster }, { label: 'Destination', text: row => row.destination }, { label: 'Address', text: row => row.address, className: 'mono' },
        { label: 'Used', text: row => row.available ? 'yes' : 'no', className: row => row.available ? 'good' : 'bad' },
        { label: 'Active check', text: row => row.active, className: row => health(row.active) },
        { label: 'Passive check', text: row => row.passive, className: row => health(row.passive) },
        { label: 'Weight', text: row => row.weight, className: 'number' },
        { label: 'Share', text: row => row.share === undefined ? '' : `${(row.share * 100).toFixed(1)} %`, className: 'number' },
        { label: 'Requests/s', ...rate('rate') }, { label: 'Errors/s', ...rate('errorRate') }, { label: 'p99 ms', ...rate('p99') },
        { label: 'Requests now', text: row => row.concurrentRequests, className: 'number' },
      ]);
    },

    async vending() {
      const body = await get('/api/vending');
      if (!body) return;
      describe(byId('sts'), [
        ['STS calls', `${number(body.sts.callsPerSecond)} per second in the last minute, of ${body.sts.permitsPerSecond} allowed`],
        ['Waiting for a permit', body.sts.waiting, body.sts.waiting > 0 ? 'warn' : ''], ['At once', `at most ${body.sts.maxConcurrent}`],
        ['Recording since', time(body.since)],
      ]);
      fill(byId('calls'), Object.entries(body.calls), call => call[0], [
        { label: 'Operation', text: call => call[0] }, { label: 'Calls', text: call => call[1].requests, className: 'number' },
        { label: 'Failed', text: call => call[1].errors, className: 'number' }, { label: 'p50 ms', text: call => number(call[1].p50), className: 'number' },
        { label: 'p99 ms', text: call => number(call[1].p99), className: 'number' },
      ]);
      fill(byId('outcomes'), Object.entries(body.outcomes), vend => vend[0], [
        { label: 'Outcome', text: vend => outcomeName(vend[0]) }, { label: 'Vends', text: vend => vend[1], className: 'number' },
      ]);
      fill(byId('refreshes'), Object.entries(body.refreshes), kind => kind[0], [
        { label: 'Renewed', text: kind => refreshNames[kind[0]] || kind[0] }, { label: 'Times', text: kind => kind[1].requests, className: 'number' },
        { label: 'Failed', text: kind => kind[1].errors, className: kind => kind[1].errors ? 'number bad' : 'number' },
      ]);
      setText(byId('organizations-note'), body.organizations.length < body.mostOrganizations ? 'Choose one to invalidate it.'
        : `The last ${body.mostOrganizations}. Choose one to invalidate it.`);
      fill(byId('organizations'), body.organizations, row => row.organization, [
        { label: 'Organization', text: row => row.organization, button: row => invalidate(row.organization) },
        { label: 'Last use', text: row => `${time(row.lastUse)} (${ago(row.lastUse, body.now)})` },
        { label: 'Vends', text: row => row.vends, className: 'number' }, { label: 'Profile', text: row => row.profile }, { label: 'Last from', text: row => row.outcome },
      ]);
    },

    async events() {
      events = await get('/api/events') || events;
      fillEvents();
    },

    async configuration() {
      const status = await get('/api/status');
      if (!status) return;
      const loaded = status.configuration, refused = loaded.lastRefused;
      describe(byId('loaded'), [
        ['Version', status.version, 'mono'], ['In effect since', `${time(loaded.appliedAt)} (${ago(loaded.appliedAt, status.now)})`], ['Folder', loaded.folder, 'mono'], ['Routes', loaded.routes],
        ['Clusters', loaded.clusters], ['Organizations with settings of their own', loaded.organizations],
        ['Certainty', loaded.isUncertain ? 'The routes may be served by an earlier configuration than the files hold: restart the gateway.' : '', 'bad'],
      ]);
      setText(byId('refused-change'), !refused ? 'No change was refused since the start.'
        : loaded.isRefused ? `The files hold a change that is not used. It was refused at ${time(refused.time)}:`
          : `Refused at ${time(refused.time)}. The files no longer hold it.`);
      byId('refused-change').className = refused && loaded.isRefused ? 'bad' : '';
      const texts = refused ? refused.findings : [];
      if ([...byId('findings').children].map(item => item.textContent).join('\n') !== texts.join('\n'))
        byId('findings').replaceChildren(...texts.map(text => element('li', text)));
    },

    // It shows what was asked for. Asking for the state keeps the page live.
    async explain() {
      await get('/api/clusters');
    },
  };

  const matchOf = route => [
    route.match.methods.length ? route.match.methods.join(', ') : 'any method', route.match.path, route.match.hosts.length ? `on ${route.match.hosts.join(', ')}` : '',
    ...route.match.headers.map(text => `header ${text}`), ...route.match.query.map(text => `query ${text}`),
  ].filter(Boolean).join(' ');
  const limitsOf = route => [
    route.limit ? `${route.limit.name}: ${route.limit.says}` : '', route.timeout ? `timeout ${route.timeout}` : '',
    route.maxRequestBodySize !== undefined ? route.maxRequestBodySize < 0 ? 'body of any size' : `body of at most ${route.maxRequestBodySize} bytes` : '',
    route.ipAllow ? `only clients of ${route.ipAllow}` : '', route.cors ? `CORS ${route.cors.name}: ${route.cors.says}` : '',
  ].filter(Boolean).join('; ') || 'none';

  const rate = name => ({ text: row => number(row.live && row.live[name]), className: 'number' });

  function fillRoutes() {
    const wanted = byId('filter').value.trim().toLowerCase();
    const found = routes.filter(row => [row.route.route, matchOf(row.route), row.who, limitsOf(row.route), row.target].join(' ').toLowerCase().includes(wanted));
    const unrecorded = routes.filter(row => !row.live).length;
    setText(byId('filtered'), (wanted ? `${found.length} of ${routes.length} routes` : `${routes.length} routes`)
      + (unrecorded ? `. Not recorded: the last minute of ${unrecorded} (–), because others had requests first.` : ''));
    fill(byId('route-rows'), found, row => row.route.route, [
      { label: 'Route', text: row => row.route.route, button: row => openRoute(row.route.route) },
      { label: 'Match', text: row => matchOf(row.route), className: 'mono' },
      { label: 'Who may use it', text: row => row.who, className: row => row.route.anyone ? 'warn' : '' }, { label: 'Limits', text: row => limitsOf(row.route) },
      { label: 'Target', text: row => row.target }, { label: 'Requests/s', ...rate('rate') }, { label: 'Refused/s', ...rate('refusedRate') },
      { label: 'Errors/s', ...rate('errorRate') }, { label: 'p99 ms', ...rate('p99') },
    ]);
  }

  function openRoute(route) {
    selectedRoute = route;
    setText(byId('route-title'), `Requests refused lately: ${route}`);
    fillRefused([]);
    byId('route-detail').hidden = false;
    byId('route-title').focus();
    poll();
  }

  const requestOf = request => `${request.method} ${request.path}`;
  const callerOf = request => [request.subject, request.issuer ? `of ${request.issuer}` : '', request.organization ? `for ${request.organization}` : ''].filter(Boolean).join(' ');

  function fillRefused(refused, isRecorded = true) {
    setText(byId('route-none'), isRecorded ? 'No request was refused since the console has been recording.' : 'The requests of this route are not recorded: too many others had requests first.');
    byId('route-none').hidden = refused.length > 0;
    byId('route-table').hidden = refused.length === 0;
    fill(byId('route-refused'), refused, request => request.requestId, [
      { label: 'Time', text: request => time(request.time) }, { label: 'Status', text: request => request.status }, { label: 'Reason', text: request => request.reason },
      { label: 'Request', text: requestOf, className: 'mono' }, { label: 'Caller', text: request => callerOf(request) || 'not known' },
      { label: 'Request id', text: request => request.requestId, className: 'mono' },
    ]);
  }

  function fillEvents() {
    if (!events) return;
    const rows = [
      ...byId('show-event').checked ? events.events.map(event => ({ time: event.time, name: event.event, text: event.text, level: event.level })) : [],
      ...byId('show-refused').checked ? events.refused.map(request => ({
        time: request.time, name: `Refused ${request.status}`, key: request.requestId,
        text: `${request.reason}: ${requestOf(request)}${request.route ? `, route ${request.route}` : ''}${callerOf(request) ? `, ${callerOf(request)}` : ''}`,
      })) : [],
      ...byId('show-vend').checked ? events.vends.map(vend => ({
        time: vend.time, name: 'Vended', text: `${vend.organization}, from ${vend.outcome}, profile ${vend.profile}${vend.subject ? `, to ${vend.subject}` : ''}`,
      })) : [],
    ].sort((one, other) => one.time < other.time ? 1 : one.time > other.time ? -1 : 0);
    const seen = new Map();
    for (const row of rows) {
      const key = `${row.time} ${row.name} ${row.text}`;
      seen.set(key, (seen.get(key) || 0) + 1);
      row.key = row.key || `${key} ${seen.get(key)}`;
    }
    fill(byId('event-rows'), rows, row => row.key, [
      { label: 'Time', text: row => time(row.time) },
      { label: 'Event', text: row => row.name, className: row => row.level === 'Warning' ? 'warn' : row.level === 'Error' || row.level === 'Critical' ? 'bad' : '' },
      { label: 'What happened', text: row => row.text },
    ]);
  }

  // ---- invalidating ----

  function invalidate(organization) {
    setText(byId('confirm-text'), `Invalidate ${organization}? Its cached credentials are dropped in every replica, and its next request calls STS. Sessions that were handed out stay valid.`);
    const dialog = byId('confirm');
    dialog.returnValue = 'no';
    dialog.onclose = async () => {
      if (dialog.returnValue !== 'yes' || token === null) return;
      setText(byId('invalidated'), `Invalidating ${organization}…`);
      try {
        const mine = session;
        const { status } = await call(`/organizations/${encodeURIComponent(organization)}/credentials`, { method: 'DELETE' }, INVALIDATION_TIMEOUT);
        if (mine !== session) return;
        const problem = refusal(status);
        if (problem) signOut(`${organization} was not invalidated. ${problem}`);
        else setText(byId('invalidated'), status === 204 ? `${organization} was invalidated in every replica.`
          : status === 503 ? `${organization} was invalidated in this replica only: Redis cannot be reached. Try again.`
            : status === 422 ? `${organization} was not invalidated: this is no organization id (422).` : `${organization} was not invalidated (${status}).`);
      } catch {
        setText(byId('invalidated'), `It is not known whether ${organization} was invalidated: the gateway does not respond.`);
      }
    };
    dialog.showModal();
  }

  // ---- explaining ----

  function fillExplanation(found) {
    const place = byId('explanation');
    place.replaceChildren();
    if (found.problem) {
      place.append(element('p', found.problem, 'problem'));
      return;
    }
    if (found.logged) {
      fillLogged(place, found);
      return;
    }
    place.append(element('h3', found.refused ? `Rejected with ${found.refused}${found.reason ? ` (${found.reason})` : ''}: ${found.why}` : `Taken by ${found.route.route}: ${found.why}`));
    const pairs = [];
    if (found.route) pairs.push(['Route', found.route.route], ['Match', matchOf(found.route)], ['Limits', limitsOf(found.route)]);
    if (found.token) {
      pairs.push(['Scheme', found.token.scheme || 'none'], ['Issuer', found.token.issuer]);
      for (const failure of found.token.failures) pairs.push(['Token fails', failure, 'bad']);
      pairs.push(['Signature', found.token.signature]);
      for (const judged of found.token.requirements) pairs.push([judged.met ? 'Met' : 'Not met', judged.requirement, judged.met ? 'good' : 'bad']);
    }
    for (const lost of found.lost || []) pairs.push(['Other route', `${lost.route} (${lost.path}): ${lost.reason}`]);
    if (found.assumeRole) {
      const role = found.assumeRole;
      pairs.push(['Role', role.role], ['Region', role.region], ['Session', role.sessionName], ['Duration', `${role.durationSeconds} s`]);
      for (const [name, value] of Object.entries(role.tags || {})) pairs.push(['Tag', `${name} = ${value}`]);
    }
    for (const note of found.notes) pairs.push(['Note', note]);
    const list = element('dl');
    describe(list, pairs);
    place.append(list);
    if (found.assumeRole) place.append(element('h3', 'Session policy'), element('pre', found.assumeRole.policy));
  }

  function fillLogged(place, found) {
    const { logged, now } = found;
    place.append(element('h3', `${requestOf(logged)}: ${found.outcome}`));
    const list = element('dl');
    describe(list, [
      ['Why', found.why], ['What to do', found.do], ['Time', logged.time], ['Route', logged.route || 'none'], ['Caller', callerOf(logged) || 'not known'],
      ['Client', logged.client], ['Request id', logged.requestId], ['Trace id', logged.traceId],
      ...now ? [['By the configuration in effect', now.refused ? `rejected with ${now.refused}${now.reason ? ` (${now.reason})` : ''}: ${now.why}` : `taken by ${now.route.route}: ${now.why}`]] : [],
      ...found.notes.map(note => ['Note', note]),
    ]);
    place.append(list);
  }

  // ---- events of the page ----

  byId('token-form').addEventListener('submit', event => {
    event.preventDefault();
    const given = byId('token').value;
    byId('token').value = '';
    signIn(given);
  });
  byId('sign-out').addEventListener('click', () => signOut());
  byId('filter').addEventListener('input', fillRoutes);
  byId('route-close').addEventListener('click', () => {
    const row = [...byId('route-rows').rows].find(candidate => candidate.dataset.key === selectedRoute);
    selectedRoute = null;
    byId('route-detail').hidden = true;
    (row ? row.querySelector('button') : byId('filter')).focus();
  });
  for (const id of ['show-event', 'show-refused', 'show-vend']) byId(id).addEventListener('change', fillEvents);
  byId('invalidate-form').addEventListener('submit', event => {
    event.preventDefault();
    invalidate(byId('organization').value.trim());
  });
  byId('explain-form').addEventListener('submit', async event => {
    event.preventDefault();
    const asked = Object.fromEntries(['method', 'path', 'host', 'organization', 'token', 'logged'].map(name => [name, byId(`explain-${name}`).value.trim()]));
    try {
      const found = await get('/api/explain', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(asked) });
      if (found) fillExplanation(found);
    } catch (problem) {
      fillExplanation({ problem: `It cannot be explained: ${problem.message}.` });
    }
  });
  addEventListener('hashchange', open);
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) poll();
  });
  setInterval(tellState, 1000);
  offerProvider();
})();
