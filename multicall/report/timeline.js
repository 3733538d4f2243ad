/** Runs and waits of each tool over time, their memory below; one canvas, redrawn as a whole. */
const timeline = (() => {
  const canvas = by('canvas');
  const plot = by('plot');
  const tip = by('tip');
  const pen = canvas.getContext('2d');
  const kRow = 30, kTop = 14, kMemory = 78, kAxis = 26, kLeastSpan = 1000;
  const all = [...older, ...runs];
  const tools = [...new Set(all.map(run => run.tool))].sort();
  const row = new Map(tools.map((tool, index) => [tool, index]));
  const from = all.reduce((least, run) => Math.min(least, run.queued), Infinity);
  const to = all.reduce((most, run) => Math.max(most, run.end), -Infinity);
  const margin = Math.max(kLeastSpan / 2, (to - from) * .01);
  const whole = { from: from - margin, to: to + margin };
  const mostMemory = all.reduce((most, run) => Math.max(most, run.memory), 0);
  let view = { ...whole };
  let width = 0, height = 0, left = 0, right = 0;
  let chosen = null, drag = null, ink = {};

  const x = ms => left + (ms - view.from) / (view.to - view.from) * (right - left);
  const time = px => view.from + (px - left) / (right - left) * (view.to - view.from);
  const top = run => kTop + row.get(run.tool) * kRow;
  const memoryTop = () => kTop + tools.length * kRow + 10;

  function measure() {
    const narrow = plot.clientWidth < 560;
    width = plot.clientWidth;
    height = memoryTop() + kMemory + kAxis;
    pen.font = '12px ' + getComputedStyle(document.body).fontFamily;
    const widest = tools.reduce((most, tool) => Math.max(most, pen.measureText(label(tool)).width), 44);
    left = narrow ? Math.min(widest, 64) + 16 : widest + 30;
    right = width - 16;
    const scale = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.style.height = height + 'px';
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    const style = getComputedStyle(document.documentElement);
    for (const name of ['ink', 'soft', 'faint', 'line', 'strong', 'run', 'service', 'wait', 'bad', 'over',
      'memory', 'memory-fill', 'sheet', 'focus', 'tint']) {
      ink[name] = style.getPropertyValue('--' + name).trim();
    }
  }

  function drawAxis() {
    const most = Math.max(2, Math.floor((right - left) / 96));
    pen.textAlign = 'left';
    pen.textBaseline = 'alphabetic';
    for (const [at, text] of ticks(view.from, view.to, most)) {
      const px = Math.round(x(at)) + .5;
      pen.fillStyle = ink.line;
      pen.fillRect(px - .5, kTop - 6, 1, height - kAxis - kTop + 10);
      if (px + pen.measureText(text).width > width - 4) continue;
      pen.fillStyle = ink.faint;
      pen.fillText(text, px + 3, height - 9);
    }
  }

  function drawLabels() {
    pen.textBaseline = 'middle';
    pen.textAlign = 'right';
    for (const [index, tool] of tools.entries()) {
      const y = kTop + index * kRow;
      if (index > 0) {
        pen.fillStyle = ink.line;
        pen.fillRect(left, y - 3.5, right - left, 1);
      }
      pen.fillStyle = ink.ink;
      pen.fillText(label(tool), left - 12, y + kRow / 2 - 1);
    }
    const y = memoryTop();
    pen.fillStyle = ink.strong;
    pen.fillRect(left, y + kMemory, right - left, 1);
    pen.fillStyle = ink.faint;
    if (mostMemory > 0) {
      pen.fillText(size(mostMemory), left - 12, y + 6);
      pen.fillText('0', left - 12, y + kMemory - 4);
    }
  }

  const colour = run => run.outcome === 'ended' ? ink.over
    : run.outcome === 'failed' || run.outcome === 'crashed' ? ink.bad
      : run.reason === 'stopped' || run.outcome === 'not-started' ? ink.faint : ink.run;

  function drawRun(run) {
    const y = top(run);
    const start = x(run.start), end = x(run.end);
    if (run.waited > 0 && x(run.queued) < right && start > left) {
      pen.globalAlpha = .8;
      pen.fillStyle = ink.wait;
      pen.fillRect(x(run.queued), y + 2, Math.max(1, start - x(run.queued)), 5);
      pen.globalAlpha = 1;
    }
    if (end < left || start > right) return;
    pen.fillStyle = colour(run);
    const length = Math.max(1.5, end - start - (end - start > 4 ? .5 : 0));
    pen.fillRect(start, y + 9, length, 13);
    if (run.outcome === 'ended') {
      const middle = start + length / 2;
      pen.beginPath();
      pen.moveTo(middle, y + 1);
      pen.lineTo(middle + 4.5, y + 8);
      pen.lineTo(middle - 4.5, y + 8);
      pen.fill();
    }
  }

  /** A run's memory: its curve where a card has one, else its peak from start to end. */
  function memoryPath(run) {
    const base = memoryTop() + kMemory;
    const y = bytes => base - bytes / mostMemory * (kMemory - 6);
    const wide = x(run.end) - x(run.start) > 3;
    const curve = wide && run.card && Array.isArray(run.card.curve) && run.card.curve_step_ms > 0 ? run.card.curve : null;
    const points = [[x(run.start), base]];
    if (curve) {
      curve.forEach((bytes, index) =>
        points.push([x(Math.min(run.end, run.start + index * run.card.curve_step_ms)), y(Math.min(bytes, mostMemory))]));
      points.push([x(run.end), points[points.length - 1][1]]);
    } else {
      points.push([x(run.start), y(run.memory)], [Math.max(x(run.end), x(run.start) + 1.5), y(run.memory)]);
    }
    points.push([points[points.length - 1][0], base]);
    return points;
  }

  function drawMemory(run) {
    if (!run.memory || x(run.end) < left - 2 || x(run.start) > right) return;
    const points = memoryPath(run);
    const over = run.outcome === 'ended';
    const wide = x(run.end) - x(run.start) > 3;
    pen.beginPath();
    for (const [px, py] of points) pen.lineTo(px, py);
    pen.fillStyle = over ? ink.over : wide ? ink['memory-fill'] : ink.memory;
    pen.globalAlpha = over && wide ? .25 : 1;
    pen.fill();
    pen.globalAlpha = 1;
    if (!wide) return;
    pen.beginPath();
    for (const [px, py] of points.slice(1, -1)) pen.lineTo(px, py);
    pen.strokeStyle = over ? ink.over : ink.memory;
    pen.lineWidth = 1.5;
    pen.stroke();
  }

  /** What is summed up: per tool and column of pixels, as high as the tool was busy. */
  function drawOlder() {
    const columns = new Map();
    for (const hour of older) {
      const first = Math.floor(x(hour.start)), end = Math.max(first + 1, Math.floor(x(hour.end)));
      if (end < left || first > right) continue;
      const key = first + ' ' + hour.tool;
      const column = columns.get(key);
      if (!column) {
        columns.set(key, { first, end, tool: hour.tool, length: 1, busy: hour.busy, runs: hour.runs, bad: hour.notPassed, ended: hour.ended, memory: hour.memory });
        continue;
      }
      column.length++;
      column.busy += hour.busy;
      column.runs += hour.runs;
      column.bad += hour.notPassed;
      column.ended += hour.ended;
      column.memory = Math.max(column.memory, hour.memory);
    }
    for (const column of columns.values()) {
      const high = 3 + 10 * Math.min(1, column.busy / (column.length * data.older.length_ms));
      const bad = column.bad ? Math.max(1.5, high * column.bad / column.runs) : 0;
      const base = top(column) + 22, wide = column.end - column.first;
      pen.globalAlpha = .75;
      pen.fillStyle = ink.run;
      pen.fillRect(column.first, base - high, wide, high - bad);
      pen.fillStyle = column.ended ? ink.over : ink.bad;
      pen.fillRect(column.first, base - bad, wide, bad);
      if (mostMemory) {
        const memory = column.memory / mostMemory * (kMemory - 6);
        pen.fillStyle = ink['memory-fill'];
        pen.fillRect(column.first, memoryTop() + kMemory - memory, wide, memory);
      }
    }
    pen.globalAlpha = 1;
  }

  function drawChosen() {
    if (!chosen) return;
    const start = x(chosen.queued), end = Math.max(x(chosen.end), x(chosen.start) + 1.5);
    pen.strokeStyle = ink.focus;
    pen.lineWidth = 1.5;
    pen.strokeRect(start - 2.5, top(chosen) - .5, end - start + 5, kRow - 5);
  }

  function draw() {
    if (!runs.length) return;
    measure();
    pen.clearRect(0, 0, width, height);
    drawAxis();
    pen.save();
    pen.beginPath();
    pen.rect(left, 0, right - left + 2, height);
    pen.clip();
    drawOlder();
    for (const run of runs) drawMemory(run);
    // What ended badly lies above the rest where they are too close to be told apart.
    for (const run of runs) if (run.outcome === 'passed') drawRun(run);
    for (const run of runs) if (run.outcome !== 'passed' && run.outcome !== 'ended') drawRun(run);
    for (const run of runs) if (run.outcome === 'ended') drawRun(run);
    drawChosen();
    if (drag && drag.to !== undefined) {
      pen.globalAlpha = .15;
      pen.fillStyle = ink.focus;
      pen.fillRect(Math.min(drag.from, drag.to), 0, Math.abs(drag.to - drag.from), height - kAxis);
      pen.globalAlpha = 1;
    }
    pen.restore();
    drawLabels();
    by('zoom-out').disabled = by('zoom-all').disabled = view.from <= whole.from && view.to >= whole.to;
  }

  /** The run nearest to a point: in the tool's row, or by its memory. */
  function find(px, py) {
    const index = Math.floor((py - kTop) / kRow);
    let best = null, least = 9;
    for (const run of all) {
      if (index < tools.length && row.get(run.tool) !== index) continue;
      const first = index < tools.length ? x(run.queued) : x(run.start);
      const last = Math.max(x(run.end), x(run.start) + 1.5);
      const distance = px < first ? first - px : px > last ? px - last : 0;
      const inside = distance === 0 ? Math.min(.5, (last - first) / 1e6) : distance;
      if (inside < least || (inside === least && best && run.memory > best.memory)) {
        least = inside;
        best = run;
      }
    }
    return best;
  }

  function choose(run, px, py) {
    chosen = run;
    tip.hidden = !run || px === undefined;
    by('readout').textContent = run ? run.command.slice(0, 160) + ' · ' + facts(run) : hint();
    if (!tip.hidden) {
      tip.replaceChildren(make('div', 'command', run.command), make('div', 'what', facts(run)));
      const there = Math.max(8, Math.min(width - tip.offsetWidth - 8, px + 14));
      const below = py + 18 + tip.offsetHeight < height + 60;
      tip.style.transform = `translate(${there}px, ${below ? py + 18 : py - tip.offsetHeight - 12}px)`;
    }
    draw();
  }

  function show(start, end) {
    const length = Math.min(whole.to - whole.from, Math.max(kLeastSpan, end - start));
    const first = Math.max(whole.from, Math.min(whole.to - length, (start + end - length) / 2));
    view = { from: first, to: first + length };
    draw();
  }

  function zoom(factor, at = chosen ? chosen.start : (view.from + view.to) / 2) {
    const middle = Math.max(view.from, Math.min(view.to, at));
    show(middle - (middle - view.from) * factor, middle + (view.to - middle) * factor);
  }

  function step(by_) {
    const now = runs.indexOf(chosen);
    const next = runs[Math.max(0, Math.min(runs.length - 1, now < 0 ? (by_ > 0 ? 0 : runs.length - 1) : now + by_))];
    if (next.start < view.from || next.end > view.to) {
      const half = (view.to - view.from) / 2;
      show(next.start - half, next.start + half);
    }
    choose(next);
  }

  const here = event => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  function listenToPointer() {
    canvas.addEventListener('pointerdown', event => {
      const [px] = here(event);
      drag = { from: px, touch: event.pointerType === 'touch', view: { ...view } };
      if (!drag.touch) canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener('pointermove', event => {
      const [px, py] = here(event);
      if (drag && drag.touch) {
        const moved = (drag.from - px) / (right - left) * (drag.view.to - drag.view.from);
        show(drag.view.from + moved, drag.view.to + moved);
      } else if (drag && (drag.to !== undefined || Math.abs(px - drag.from) > 4)) {
        drag.to = px;
        tip.hidden = true;
        draw();
      } else if (!drag) {
        choose(find(px, py), px, py);
      }
    });
    canvas.addEventListener('pointerup', event => {
      const [px, py] = here(event);
      const made = drag;
      drag = null;
      if (made && made.to !== undefined && Math.abs(made.to - made.from) > 4) {
        show(time(Math.min(made.from, made.to)), time(Math.max(made.from, made.to)));
      } else {
        choose(find(px, py), px, py);
      }
    });
    canvas.addEventListener('pointercancel', () => { drag = null; draw(); });
    canvas.addEventListener('pointerleave', event => {
      if (event.pointerType === 'mouse' && !drag) choose(null);
    });
    canvas.addEventListener('dblclick', () => show(whole.from, whole.to));
    canvas.addEventListener('wheel', event => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      zoom(event.deltaY > 0 ? 1.25 : .8, time(here(event)[0]));
    }, { passive: false });
  }

  function listen() {
    const keys = {
      ArrowLeft: () => step(-1), ArrowRight: () => step(1), Home: () => step(-runs.length),
      End: () => step(runs.length), '+': () => zoom(.5), '=': () => zoom(.5), '-': () => zoom(2),
      0: () => show(whole.from, whole.to), Escape: () => choose(null),
    };
    canvas.addEventListener('keydown', event => {
      if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      keys[event.key]();
    });
    by('zoom-in').addEventListener('click', () => zoom(.5));
    by('zoom-out').addEventListener('click', () => zoom(2));
    by('zoom-all').addEventListener('click', () => show(whole.from, whole.to));
    listenToPointer();
    new ResizeObserver(draw).observe(plot);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
    matchMedia('print').addEventListener('change', draw);
    choose(null);
  }

  return { start: listen };
})();
