/** The kill cards: why a run was ended, its curve, its processes, and what would allow more. */
const kMemoryCauses = ['memory', 'tree-memory'];

/** The numbers of a card may be anything: every user who may write the journal can write one. */
const whole = value => Number.isFinite(value) && value > 0 ? value : 0;
const words = value => typeof value === 'string' ? value : '';

/** In the unit in which limits are set. */
const megabytes = bytes => count(Math.round(bytes / 1048576)) + ' MB';

/** Why the run was ended, as the job summary says it. */
const sentence = run => words(run.said).replace(/^./, first => first.toUpperCase());

function curveOf(run, card) {
  const points = (Array.isArray(card.curve) ? card.curve : []).map(whole);
  if (points.length < 2) return null;
  const limit = kMemoryCauses.includes(run.reason) ? whole(card.limit) : 0;
  const peak = points.reduce((most, one) => Math.max(most, one), 0);
  const most = Math.max(peak, limit, 1) * 1.12;
  // The picture is stretched to its place, so its words stand around it.
  const kWide = 480, kHigh = 120;
  const x = index => index / (points.length - 1) * kWide;
  const y = bytes => kHigh - bytes / most * kHigh;
  const path = points.map((bytes, index) => (index ? 'L' : 'M') + x(index).toFixed(1) + ' ' + y(bytes).toFixed(1)).join('');
  const picture = drawn('svg', {
    viewBox: `0 0 ${kWide} ${kHigh}`, preserveAspectRatio: 'none', role: 'img',
    'aria-label': 'Memory of the run, ' + size(peak) + ' at most',
  },
  drawn('path', { class: 'curve-fill', d: path + `L${kWide} ${kHigh}L0 ${kHigh}Z` }),
  drawn('path', { class: 'curve-line', d: path }));
  const frame = make('div', 'curve', picture);
  if (limit) {
    picture.append(drawn('line', { class: 'curve-limit', x1: 0, x2: kWide, y1: y(limit), y2: y(limit) }));
    const label = make('span', 'curve-label', megabytes(limit) + (run.reason === 'memory' ? ' for one process' : ' for all'));
    label.style.bottom = (1 - y(limit) / kHigh) * 100 + '%';
    frame.append(label);
  }
  const length = points.length * whole(card.curve_step_ms);
  return make('figure', '', frame, make('figcaption', '', make('span', '', 'all processes, ' + size(peak) + ' at most'),
    make('span', '', length ? span(length) : '')));
}

/** How deep each process of the tree is, as far as its parents are in it. */
function depths(tree) {
  const depth = new Map();
  for (const process of tree) depth.set(process.pid, depth.has(process.parent) ? depth.get(process.parent) + 1 : 0);
  return depth;
}

function treeOf(card, open) {
  const tree = (Array.isArray(card.tree) ? card.tree : []).filter(one => one && typeof one === 'object');
  if (!tree.length) return null;
  const depth = depths(tree);
  const list = make('ul', 'tree');
  for (const process of tree) {
    const name = make('span', 'command', words(process.command));
    name.style.paddingLeft = Math.min(8, depth.get(process.pid)) * .875 + 'rem';
    const isIt = card.pid && process.pid === card.pid;
    list.append(make('li', '', make('span', 'number pid', String(whole(process.pid))),
      make('span', 'number' + (isIt ? ' is-it' : ''), size(whole(process.bytes))), name));
  }
  const all = whole(card.processes);
  const details = make('details', '', make('summary', '',
    several(all, 'process', 'processes') + ', ' + size(whole(card.bytes)) +
    (all > tree.length ? '; the largest ' + tree.length : '')), list);
  details.open = open;
  return details;
}

function cardOf(run, open) {
  const card = run.card || {};
  const place = make('time', '', when(run.start));
  const facts = make('dl');
  const fact = (name, content) => { if (content) facts.append(make('dt', '', name), make('dd', '', content)); };
  fact('Limit set in', words(card.limit_place));
  fact('To allow more', words(card.change) ? make('code', '', words(card.change)) : '');
  fact('Waited', run.waited >= kWaited ? span(run.waited) : '');
  fact('Ran for', took(run));
  fact('Branch', run.branch);
  fact('Who', run.who);
  fact('Directory', run.directory || '');
  fact('Run', run.id);
  const body = make('div', 'body');
  const curve = curveOf(run, card);
  if (curve) body.append(curve);
  body.append(facts);
  const article = make('article', 'card',
    make('h3', '', make('span', 'command', run.command), place),
    make('p', 'said', run.card ? sentence(run) + '.' : run.how + '.'), body);
  const tree = treeOf(card, open);
  if (tree) article.append(tree);
  return article;
}

function startCards() {
  const ended = runs.filter(run => run.outcome === 'ended').reverse();
  const kPage = 5;
  let shown = 0;
  const more = make('p', 'more');
  function grow() {
    for (const run of ended.slice(shown, shown + kPage)) by('cards').append(cardOf(run, shown++ < 2));
    more.replaceChildren();
    const left = ended.length - shown;
    if (left > 0) more.append(button('Show ' + Math.min(left, kPage) + ' more', grow), count(shown) + ' of ' + count(ended.length));
  }
  if (!ended.length) return;
  by('ended').hidden = false;
  grow();
  by('ended').append(more);
  addEventListener('beforeprint', () => { for (const details of by('cards').querySelectorAll('details')) details.open = true; });
}
