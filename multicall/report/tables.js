/**
 * A table that sorts by its headings and grows on demand.
 * columns: { name, value(row), cell(row) -> string or element, className, first: 'ascending' }
 */
function table(place, more, columns, start, page) {
  let rows = [], key = start, order = columns[start].first || 'descending', shown = page;
  const heads = columns.map((column, index) => {
    const head = make('th', column.className || '', button(column.name, () => sort(index)));
    head.scope = 'col';
    return head;
  });
  const body = make('tbody');
  place.append(make('thead', '', make('tr', '', ...heads)), body);

  function sort(index) {
    order = index !== key ? columns[index].first || 'descending'
      : order === 'ascending' ? 'descending' : 'ascending';
    key = index;
    shown = page;
    update(rows);
  }

  function compare(a, b) {
    const one = columns[key].value(a), other = columns[key].value(b);
    const sign = one < other ? -1 : one > other ? 1 : 0;
    return order === 'ascending' ? sign : -sign;
  }

  function line(row) {
    return make('tr', '', ...columns.map(column => {
      const content = column.cell(row);
      const cell = make('td', column.className || '', content === '' ? '–' : content);
      if (column.label) cell.dataset.label = column.label;
      if (content === '') cell.classList.add('soft', 'blank');
      return cell;
    }));
  }

  function tell() {
    const left = rows.length - shown;
    more.replaceChildren();
    if (rows.length === 0) more.append('Nothing matches.');
    if (left <= 0) return;
    more.append(button('Show ' + count(Math.min(left, 4 * page)) + ' more', () => {
      shown += 4 * page;
      update(rows);
    }), count(shown) + ' of ' + count(rows.length));
  }

  function update(next) {
    rows = next;
    for (const [index, head] of heads.entries()) {
      if (index === key) head.setAttribute('aria-sort', order);
      else head.removeAttribute('aria-sort');
    }
    body.replaceChildren(...[...rows].sort(compare).slice(0, shown).map(line));
    tell();
  }

  return { update: next => { shown = page; update(next); } };
}

function command(text) {
  const element = make('span', 'command', text);
  element.title = text;
  return element;
}

const kinds = (() => {
  const groups = new Map();
  for (const run of runs) {
    if (!groups.has(run.kind)) groups.set(run.kind, []);
    groups.get(run.kind).push(run);
  }
  return [...groups].map(([name, of]) => ({
    name, runs: of.length, failed: of.filter(run => run.outcome !== 'passed').length,
    waited: of.reduce((sum, run) => sum + run.waited, 0),
    median: median(of.map(run => run.duration)),
    longest: of.reduce((most, run) => Math.max(most, run.duration), 0),
    memory: of.reduce((most, run) => Math.max(most, run.memory), 0),
  }));
})();

function startKinds() {
  const number = (name, label, value, cell) => ({ name, label, className: 'number', value, cell });
  table(by('kinds-table'), by('kinds-more'), [
    { name: 'Command', className: 'main', first: 'ascending', value: kind => kind.name, cell: kind => command(kind.name) },
    number('Runs', 'runs', kind => kind.runs, kind => count(kind.runs)),
    number('Not passed', 'not passed', kind => kind.failed, kind => kind.failed ? count(kind.failed) : ''),
    number('Waited', 'waited', kind => kind.waited, kind => kind.waited >= 100 ? span(kind.waited) : ''),
    number('Median', 'median', kind => kind.median, kind => span(kind.median)),
    number('Longest', 'longest', kind => kind.longest, kind => span(kind.longest)),
    number('Memory', 'memory', kind => kind.memory, kind => kind.memory ? size(kind.memory) : ''),
  ], 1, 12).update(kinds);
}

const kWaited = 100;
const kShow = [
  ['All', () => true],
  ['Waited', run => run.waited >= kWaited],
  ['Failed', run => run.outcome === 'failed'],
  ['Ended', run => run.outcome === 'ended'],
  ['Other', run => !['passed', 'failed', 'ended'].includes(run.outcome)],
];

function outcome(run) {
  const dot = make('i', 'dot ' + (/^[a-z-]+$/.test(run.outcome) ? run.outcome : ''));
  return make('span', '', dot, run.how);
}

function runsTable() {
  const number = (name, label, value, cell) => ({ name, label, className: 'number', value, cell });
  return table(by('runs-table'), by('runs-more'), [
    { name: 'Started', className: 'when', value: run => run.start, cell: run => when(run.start) },
    { name: 'Command', className: 'main', first: 'ascending', value: run => run.command, cell: run => command(run.command) },
    { name: 'Branch', className: 'branch', first: 'ascending', value: run => run.branch, cell: run => run.branch },
    { name: 'Who', className: 'who', first: 'ascending', value: run => run.who, cell: run => run.who },
    number('Waited', 'waited', run => run.waited, run => run.waited >= kWaited ? span(run.waited) : ''),
    number('Took', 'took', run => run.duration, took),
    number('Memory', 'memory', run => run.memory, run => run.memory ? size(run.memory) : ''),
    { name: 'Outcome', className: 'outcome', first: 'ascending', value: run => run.how, cell: outcome },
  ], 0, 50);
}

function startRuns() {
  const all = runsTable();
  const filter = by('filter');
  let shows = kShow[0];
  for (const run of runs) {
    run.text = [run.command, run.branch, run.who, run.how, run.id, run.tool].join('\n').toLowerCase();
  }
  function update() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    all.update(runs.filter(run => shows[1](run) && words.every(word => run.text.includes(word))));
  }
  for (const show of kShow) {
    const number = runs.filter(show[1]).length;
    if (!number) continue;
    const chip = button(show[0] + ' ' + count(number), () => {
      shows = show;
      for (const other of by('chips').children) other.setAttribute('aria-pressed', String(other === chip));
      update();
    });
    chip.setAttribute('aria-pressed', String(show === shows));
    by('chips').append(chip);
  }
  filter.addEventListener('input', update);
  update();
}
