"use strict";
(() => {
  const { timezone, panels, times } = JSON.parse(document.getElementById("data").textContent);
  const MARGIN = { left: 64, right: 10, top: 8, bottom: 26 };
  const MINUTE = 60e3, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
  const STEPS = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR / 2, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY, 56 * DAY, 182 * DAY, 364 * DAY];
  const TICK_PX = 88;

  const bytesOf = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0)).buffer;
  const grids = times.map((text) => new Float64Array(bytesOf(text)));
  const first = Math.min(...grids.map((grid) => grid[0]));
  const last = Math.max(...grids.map((grid) => grid[grid.length - 1]));
  const shown = { from: first, to: last };
  let cursor = null, selection = null;

  // ------------------------------------------------------------------------------------------ local time
  const parts = new Intl.DateTimeFormat("en-GB", { timeZone: timezone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const asDay = new Intl.DateTimeFormat("en-GB", { timeZone: timezone, day: "2-digit", month: "short" });
  const asTime = new Intl.DateTimeFormat("en-GB", { timeZone: timezone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const asMoment = new Intl.DateTimeFormat("en-GB", { timeZone: timezone, weekday: "short", day: "2-digit", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  function offsetAt(moment) {
    const of = Object.fromEntries(parts.formatToParts(moment).map((one) => [one.type, Number(one.value)]));
    return Date.UTC(of.year, of.month - 1, of.day, of.hour, of.minute, of.second) - Math.floor(moment / 1000) * 1000;
  }
  // Whole hours or days of the wall clock, also where it changes: each one's offset is looked up.
  function ticks(width) {
    const least = (shown.to - shown.from) / Math.max(1, Math.floor(width / TICK_PX));
    const step = STEPS.find((one) => one >= least) ?? STEPS[STEPS.length - 1];
    const found = [];
    const begin = shown.from + offsetAt(shown.from);
    for (let wall = Math.ceil(begin / step) * step; found.length < 60; wall += step) {
      let moment = wall - offsetAt(wall);
      moment = wall - offsetAt(moment);
      if (moment > shown.to) break;
      if (moment >= shown.from) found.push([moment, step < DAY && wall % DAY !== 0 ? asTime.format(moment) : asDay.format(moment)]);
    }
    return found;
  }

  // ------------------------------------------------------------------------------------------ values
  function placeOf(grid, moment) { // of the last time that is not after the moment
    let low = 0, high = grid.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (grid[middle] <= moment) low = middle; else high = middle - 1;
    }
    return low;
  }
  function rangeOf(lines) {
    let least = Infinity, most = -Infinity;
    for (const { grid, values } of lines) {
      for (let i = placeOf(grid, shown.from); i <= placeOf(grid, shown.to); i++) {
        if (values[i] < least) least = values[i];
        if (values[i] > most) most = values[i];
      }
    }
    if (least > most) return [0, 1];
    if (least > 0 && least < 0.5 * most) least = 0;
    const room = 0.06 * (most - least) || Math.abs(most) * 0.1 || 1;
    return [least === 0 ? 0 : least - room, most + room];
  }
  function niceSteps(least, most, count) {
    const rough = (most - least) / count, base = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 2.5, 5, 10].map((one) => one * base).find((one) => one >= rough);
    const found = [];
    for (let at = Math.ceil(least / step) * step; at <= most + step * 1e-9; at += step) found.push(Math.abs(at) < step * 1e-9 ? 0 : at);
    return found;
  }
  const shownNumber = (value) => Number.isNaN(value) ? "–" : Number(value.toPrecision(4)).toLocaleString("en-GB", { maximumFractionDigits: 6 });

  // ------------------------------------------------------------------------------------------ panels
  const drawn = panels.map((panel) => {
    const section = document.createElement("section");
    section.className = "panel";
    const title = document.createElement("h2");
    title.textContent = panel.title;
    const canvas = document.createElement("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${panel.title} over time: ${panel.lines.map((line) => line.name).join(", ")}`);
    const names = document.createElement("div");
    names.className = "names";
    const lines = panel.lines.map((line, at) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = `colour-${at % 8}`;
      button.setAttribute("aria-pressed", "true");
      const value = document.createElement("b");
      button.append(`${line.name} `, value);
      names.append(button);
      const one = { grid: grids[line.times], values: new Float32Array(bytesOf(line.values)), isEnd: line.is_end, isSeen: true, button, value };
      button.addEventListener("click", () => {
        one.isSeen = !one.isSeen;
        button.setAttribute("aria-pressed", String(one.isSeen));
        draw();
      });
      return one;
    });
    section.append(title, canvas, names);
    document.getElementById("panels").append(section);
    const made = { canvas, lines };
    listen(canvas);
    return made;
  });

  function drawPanel({ canvas, lines }) {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const ratio = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const inner = { width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom };
    const seen = lines.filter((line) => line.isSeen);
    const [least, most] = rangeOf(seen);
    const x = (moment) => MARGIN.left + (moment - shown.from) / (shown.to - shown.from) * inner.width;
    const y = (value) => MARGIN.top + (most - value) / (most - least) * inner.height;
    pen.font = "12px system-ui, sans-serif";
    pen.fillStyle = colour("--soft");
    pen.strokeStyle = colour("--line");
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    for (const value of niceSteps(least, most, 5)) {
      pen.fillText(shownNumber(value), MARGIN.left - 8, y(value));
      pen.beginPath();
      pen.moveTo(MARGIN.left, y(value));
      pen.lineTo(width - MARGIN.right, y(value));
      pen.stroke();
    }
    pen.textAlign = "center";
    for (const [moment, text] of ticks(inner.width)) {
      pen.fillText(text, Math.min(Math.max(x(moment), MARGIN.left + 16), width - 24), height - 12);
      pen.beginPath();
      pen.moveTo(x(moment), MARGIN.top + inner.height);
      pen.lineTo(x(moment), MARGIN.top + inner.height + 4);
      pen.stroke();
    }
    pen.save();
    pen.beginPath();
    pen.rect(MARGIN.left, MARGIN.top, inner.width, inner.height);
    pen.clip();
    pen.lineWidth = 1.4;
    pen.lineJoin = "round";
    for (const line of seen) {
      pen.strokeStyle = getComputedStyle(line.button).getPropertyValue("--colour").trim();
      drawLine(pen, line, x, y, inner.width);
    }
    if (selection) {
      pen.fillStyle = colour("--accent");
      pen.globalAlpha = 0.16;
      pen.fillRect(x(Math.min(...selection)), MARGIN.top, Math.abs(x(selection[1]) - x(selection[0])), inner.height);
      pen.globalAlpha = 1;
    }
    if (cursor !== null) {
      pen.strokeStyle = colour("--soft");
      pen.lineWidth = 1;
      pen.beginPath();
      pen.moveTo(x(cursor), MARGIN.top);
      pen.lineTo(x(cursor), MARGIN.top + inner.height);
      pen.stroke();
    }
    pen.restore();
  }

  // Many values on few pixels become the least and the most of each pixel: no peak is lost.
  function drawLine(pen, { grid, values, isEnd }, x, y, width) {
    const from = Math.max(placeOf(grid, shown.from) - 1, 0), to = Math.min(placeOf(grid, shown.to) + 1, grid.length - 1);
    const many = to - from > 2 * width;
    let isOpen = false, column = null, low = 0, high = 0, end = 0;
    const flush = () => {
      if (column === null) return;
      if (isOpen) pen.lineTo(column, y(low)); else pen.moveTo(column, y(low));
      pen.lineTo(column, y(high));
      pen.lineTo(column, y(end));
      isOpen = true;
      column = null;
    };
    pen.beginPath();
    for (let i = from; i <= to; i++) {
      const value = values[i];
      if (Number.isNaN(value)) { flush(); isOpen = false; continue; }
      if (many) {
        const at = Math.round(x(grid[i]));
        if (at !== column) { flush(); column = at; low = high = value; }
        low = Math.min(low, value);
        high = Math.max(high, value);
        end = value;
        continue;
      }
      const next = i + 1 < grid.length ? grid[i + 1] : grid[i] + (i ? grid[i] - grid[i - 1] : HOUR);
      if (isEnd) {
        if (isOpen) pen.lineTo(x(next), y(value)); else pen.moveTo(x(next), y(value));
      } else {
        if (isOpen) pen.lineTo(x(grid[i]), y(value)); else pen.moveTo(x(grid[i]), y(value));
        pen.lineTo(x(next), y(value));
      }
      isOpen = true;
    }
    flush();
    pen.stroke();
  }

  // ------------------------------------------------------------------------------------------ showing
  let asked = false;
  function draw() {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      drawn.forEach(drawPanel);
      document.getElementById("range").textContent = cursor === null
        ? `${asMoment.format(shown.from)} to ${asMoment.format(shown.to)}`
        : asMoment.format(cursor);
      for (const { lines } of drawn) {
        for (const line of lines) line.value.textContent = cursor === null ? "" : shownNumber(line.values[placeOf(line.grid, cursor)]);
      }
    });
  }
  function show(from, to) {
    const least = Math.min(5 * MINUTE, last - first), length = Math.min(Math.max(to - from, least), last - first);
    shown.from = Math.min(Math.max(from, first), last - length);
    shown.to = shown.from + length;
    const isWhole = shown.from === first && shown.to === last;
    history.replaceState(null, "", isWhole ? location.pathname : `#${new Date(shown.from).toISOString()}/${new Date(shown.to).toISOString()}`);
    draw();
  }
  function zoom(factor, about = (shown.from + shown.to) / 2) {
    show(about - (about - shown.from) * factor, about + (shown.to - about) * factor);
  }
  const move = (share) => show(shown.from + share * (shown.to - shown.from), shown.to + share * (shown.to - shown.from));

  function listen(canvas) {
    const momentAt = (event) => {
      const box = canvas.getBoundingClientRect(), width = box.width - MARGIN.left - MARGIN.right;
      const share = Math.min(Math.max((event.clientX - box.left - MARGIN.left) / width, 0), 1);
      return shown.from + share * (shown.to - shown.from);
    };
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // the wheel alone scrolls the page
      event.preventDefault();
      zoom(2 ** (event.deltaY / 300), momentAt(event));
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      selection = [momentAt(event), momentAt(event)];
    });
    canvas.addEventListener("pointermove", (event) => {
      cursor = momentAt(event);
      if (selection) selection[1] = cursor;
      draw();
    });
    canvas.addEventListener("pointerup", () => {
      const [from, to] = selection ? [...selection].sort((a, b) => a - b) : [0, 0];
      selection = null;
      if (to - from > 0.01 * (shown.to - shown.from)) show(from, to); else draw();
    });
    canvas.addEventListener("pointercancel", () => { selection = null; draw(); });
    canvas.addEventListener("pointerleave", () => { cursor = null; draw(); });
    canvas.addEventListener("dblclick", () => show(first, last));
  }

  for (const button of document.querySelectorAll(".tools button")) {
    const { days, move: by, zoom: factor } = button.dataset;
    button.addEventListener("click", () => {
      if (by) move(Number(by));
      else if (factor) zoom(Number(factor));
      else if (days === "0") show(first, last);
      else show(shown.from, shown.from + Number(days) * DAY);
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const does = { ArrowLeft: () => move(-0.25), ArrowRight: () => move(0.25), "+": () => zoom(0.5), "-": () => zoom(2), 0: () => show(first, last) }[event.key];
    if (does) { event.preventDefault(); does(); }
  });
  addEventListener("resize", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  const named = location.hash.slice(1).split("/").map((text) => Date.parse(text));
  if (named.length === 2 && named.every(Number.isFinite) && named[1] > named[0]) show(...named); else draw();
})();
