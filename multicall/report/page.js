/** The head of the page, then its parts. */
function startHead() {
  const figures = data.figures;
  document.title = 'onelane: ' + data.name;
  by('name').textContent = data.name;
  if (figures.runs) {
    const { first_wall_ms: first, last_wall_ms: last } = figures;
    const sameDay = new Date(first).toDateString() === new Date(last).toDateString();
    by('span').textContent = when(first) + ' to ' + (sameDay ? moment(last, 'minute') : when(last));
  }
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  by('foot').textContent = 'Written by onelane ' + data.version + ' on ' + when(data.now_wall_ms) +
    ' from the journal in ' + data.lane + '. Times are those of ' + zone +
    '. The page loads nothing and sends nothing.' +
    (figures.runs > runs.length ? ' It lists the newest ' + count(runs.length) + ' of ' + several(figures.runs, 'run') +
      '; the figures count all, and the timeline has the older ones by the ' + (data.older.length_ms > 3600000 ? 'day' : 'hour') + '.' : '');
}

function startFigures() {
  const figures = data.figures;
  const share = number => figures.runs ? Math.round(number / figures.runs * 100) + ' %' : '';
  const add = (name, number, note, tone = '') => by('figures').append(make('div', '',
    make('dt', '', name), make('dd', 'number ' + tone, ...figure(number)), make('dd', 'note', note)));
  const largest = runs.find(run => run.id === figures.largest_id);
  const others = [[figures.stopped, 'stopped'], [figures.crashed, 'lost'], [figures.not_started, 'not started']]
    .filter(([number]) => number).map(([number, what]) => count(number) + ' ' + what).join(', ');
  add('Runs', count(figures.runs), span(figures.duration_ms) + ' in all');
  add('Waited', count(figures.waited), figures.waited
    ? share(figures.waited) + '; ' + span(figures.waited_ms) + ' in all, longest ' + span(figures.longest_wait_ms) : 'none had to');
  add('Failed', count(figures.failed), (figures.failed ? share(figures.failed) : 'none') + (others ? '; ' + others : ''), figures.failed ? 'bad' : '');
  add('Ended by a limit', count(figures.ended), figures.ended ? 'see the cards below' : 'none', figures.ended ? 'over' : '');
  add('Largest memory', figures.largest_kb ? size(figures.largest_kb * 1024) : '–', '');
  if (largest) {
    const note = by('figures').lastElementChild.lastElementChild;
    note.append(make('span', 'command', largest.kind));
  }
}

function startEmpty() {
  by('main').replaceChildren(
    make('p', 'empty', data.since_wall_ms ? 'Nothing ran here since ' + when(data.since_wall_ms) + '.' : 'Nothing has run here yet.'),
    data.since_wall_ms
      ? make('p', 'empty', 'A longer report may have more: ', make('code', '', 'onelane report --since all --html report.html'))
      : make('p', 'empty', 'As soon as make, git, pytest, vitest or npm take their turn in this lane, their runs, waits and memory are shown here.'));
}

startHead();
if (runs.length) {
  startFigures();
  startCards();
  startKinds();
  startRuns();
  timeline.start();
} else {
  startEmpty();
}
