'use strict';
// Text of a run is only ever set as textContent or as the value of an attribute that is text.

const data = JSON.parse(document.getElementById('data').textContent);
const runs = data.runs.map(prepared);
const by = id => document.getElementById(id);

/** What is left out of the data is nothing. */
function prepared(run) {
  const start = run.started_wall_ms;
  const waited = run.waited_ms || 0;
  return {
    ...run, start, waited, queued: start - waited, duration: run.duration_ms || 0,
    end: start + (run.duration_ms || 0), memory: (run.peak_tree_kb || 0) * 1024,
    who: run.agent ? run.agent + (run.user ? ' · ' + run.user : '') : run.user || '',
    branch: run.branch || '', kind: run.command.split(' ').slice(0, 3).join(' ').slice(0, 80),
  };
}

/** The runs that are not listed one by one, summed up by the hour: things to draw like a run. */
const older = (data.older ? data.older.rows : []).map(([hour, tool, number, notPassed, ended, waited, busy, kb]) => ({
  older: true, tool: data.older.tools[tool], runs: number, notPassed, ended, waited, busy,
  queued: hour * data.older.length_ms, start: hour * data.older.length_ms,
  end: (hour + 1) * data.older.length_ms, memory: kb * 1024,
  get command() { return several(number, 'run') + ' of ' + this.tool; },
}));

/** An element with a class and children: strings become text. */
function make(name, className, ...children) {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

function drawn(name, attributes, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function button(text, action) {
  const element = make('button', '', text);
  element.type = 'button';
  element.addEventListener('click', action);
  return element;
}

const formats = Object.fromEntries(Object.entries({
  day: { weekday: 'short', day: 'numeric', month: 'short' },
  date: { day: 'numeric', month: 'short' },
  month: { month: 'short', year: 'numeric' },
  minute: { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  second: { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' },
}).map(([name, options]) => [name, new Intl.DateTimeFormat('en-GB', options)]));
const moment = (ms, format) => formats[format].format(ms);
const when = ms => moment(ms, 'day').replace(',', '') + ' ' + moment(ms, 'minute');
const count = number => number.toLocaleString('en-GB');
const several = (number, one, more = one + 's') => count(number) + ' ' + (number === 1 ? one : more);

function span(ms) {
  if (!ms) return '0 s';
  const two = number => String(number).padStart(2, '0');
  const seconds = Math.floor(ms / 1000);
  if (ms < 10000) return (ms / 1000).toFixed(1) + ' s';
  if (seconds < 60) return seconds + ' s';
  if (seconds < 3600) return Math.floor(seconds / 60) + 'm ' + two(seconds % 60) + 's';
  if (seconds < 172800) return Math.floor(seconds / 3600) + 'h ' + two(Math.floor(seconds / 60) % 60) + 'm';
  return Math.floor(seconds / 86400) + 'd ' + Math.floor(seconds / 3600) % 24 + 'h';
}

function size(bytes) {
  const mb = bytes / 1048576;
  if (mb >= 1024) return (mb / 1024).toFixed(1) + ' GB';
  return (mb < 10 ? mb.toFixed(1) : Math.round(mb)) + ' MB';
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted.length ? sorted[sorted.length >> 1] : 0;
}

/** How long a run took; unknown for a run that was lost with its onelane. */
const took = run => run.outcome === 'crashed' && !run.duration ? '?' : span(run.duration);

/** A figure in two sizes: "412" or "1.9" and a small "GB". */
function figure(text) {
  const cut = text.lastIndexOf(' ');
  return cut < 0 ? [text] : [text.slice(0, cut), make('small', '', text.slice(cut + 1))];
}

/** Where an axis from `from` to `to` has a mark, `most` of them, and what stands there. */
function ticks(from, to, most) {
  const kSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200,
    86400, 172800, 604800, 1209600, 2592000, 7776000, 31536000].map(seconds => seconds * 1000);
  const step = kSteps.find(one => (to - from) / one <= most) || kSteps[kSteps.length - 1];
  const offset = new Date(from).getTimezoneOffset() * 60000;
  const out = [];
  let lastDay = '';
  for (let at = Math.ceil((from - offset) / step) * step + offset; at <= to; at += step) {
    const day = moment(at, step >= 2592000000 ? 'month' : step >= 604800000 ? 'date' : 'day').replace(',', '');
    const clock = moment(at, step < 60000 ? 'second' : 'minute');
    out.push([at, step >= 86400000 ? day : day === lastDay ? clock : (step >= 43200000 ? day : day + ' ' + clock)]);
    lastDay = day;
  }
  return out;
}

const label = tool => tool.length > 14 ? tool.slice(0, 13) + '…' : tool;

const facts = run => run.older ? [
  when(run.start) + ' to ' + when(run.end), run.notPassed ? count(run.notPassed) + ' not passed' : '',
  run.ended ? count(run.ended) + ' ended by a limit' : '', run.waited ? 'waited ' + span(run.waited) : '',
  'took ' + span(run.busy), run.memory ? size(run.memory) + ' at most' : ''].filter(Boolean).join(' · ') : [
  run.how, when(run.start), run.waited ? 'waited ' + span(run.waited) : '', 'took ' + took(run),
  run.memory ? size(run.memory) : '', run.branch, run.who].filter(Boolean).join(' · ');

const hint = () => matchMedia('(pointer: coarse)').matches
  ? 'Tap a run for details.'
  : 'Point at a run for details; drag over a time to zoom in. Arrow keys go from run to run.';
