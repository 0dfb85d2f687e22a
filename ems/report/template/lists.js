"use strict";
(() => {
  const table = document.getElementById("list");
  const body = table.tBodies[0];
  const given = [...body.rows];
  const search = document.getElementById("q");
  const choices = [...document.querySelectorAll("#filters select")];
  const count = document.getElementById("count");
  const none = document.getElementById("none");
  const headings = [...table.tHead.rows[0].cells];
  const names = headings.map((heading) => heading.textContent);
  const sorted = { column: -1, isDown: false };
  let texts = null;

  const keyOf = (row, column) => row.cells[column].dataset.v ?? row.cells[column].textContent.trim();

  // Rows are read only once somebody searches: a list of a thousand opens at once.
  function textOf(row) {
    texts ??= new Map(given.map((one) => [one, one.textContent.toLowerCase()]));
    return texts.get(row);
  }

  function show() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of given) {
      const fits = choices.every((one) => one.value === "" || keyOf(row, one.dataset.column) === one.value)
        && words.every((word) => textOf(row).includes(word));
      row.hidden = !fits;
      shown += fits;
    }
    const { one, many, order } = count.dataset;
    const noun = given.length === 1 ? one : many;
    const all = given.length.toLocaleString("en");
    const how = sorted.column < 0 ? order : `by ${names[sorted.column]}${sorted.isDown ? ", downwards" : ""}`;
    const counted = shown === given.length ? `${all} ${noun}` : `${shown.toLocaleString("en")} of ${all} ${noun}`;
    count.textContent = how ? `${counted}, ${how}` : counted;
    none.hidden = shown > 0;
  }

  function sort() {
    const { column, isDown } = sorted;
    const rows = [...given];
    if (column >= 0) {
      const isNumber = headings[column].classList.contains("number");
      const read = (row) => (row.cells[column].classList.contains("none") ? null
        : isNumber ? Number(keyOf(row, column)) : keyOf(row, column));
      const keys = new Map(rows.map((row) => [row, read(row)]));
      rows.sort((a, b) => {
        const [left, right] = [keys.get(a), keys.get(b)];
        if (left === null || right === null) return (left === null) - (right === null);
        const order = isNumber ? left - right : left.localeCompare(right, "en", { numeric: true });
        return isDown ? -order : order;
      });
    }
    body.append(...rows);
    headings.forEach((heading, at) => {
      if (at === column) heading.setAttribute("aria-sort", isDown ? "descending" : "ascending");
      else heading.removeAttribute("aria-sort");
    });
  }

  // What is chosen is kept in the address, so that it survives a reload and can be sent to somebody.
  function remember() {
    const kept = new URLSearchParams();
    if (search.value) kept.set("q", search.value);
    for (const choice of choices) {
      if (choice.value) kept.set(choice.dataset.name, choice.value);
    }
    if (sorted.column >= 0) kept.set("sort", (sorted.isDown ? "-" : "") + names[sorted.column]);
    const text = kept.toString();
    history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
  }

  function recall() {
    if (location.hash && !location.hash.includes("=")) return; // a place on the page, no choice
    const kept = new URLSearchParams(location.hash.slice(1));
    search.value = kept.get("q") ?? "";
    for (const choice of choices) {
      const value = kept.get(choice.dataset.name) ?? "";
      choice.value = [...choice.options].some((option) => option.value === value) ? value : "";
    }
    const by = kept.get("sort") ?? "";
    sorted.isDown = by.startsWith("-");
    sorted.column = names.indexOf(by.replace(/^-/, ""));
    sort();
    show();
  }

  function change() {
    show();
    remember();
  }

  headings.forEach((heading, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = names[at];
    button.addEventListener("click", () => {
      // Once up, once down, and back to the order of the page.
      if (sorted.column !== at) Object.assign(sorted, { column: at, isDown: false });
      else if (!sorted.isDown) sorted.isDown = true;
      else sorted.column = -1;
      sort();
      change();
    });
    heading.replaceChildren(button);
  });
  search.addEventListener("input", change);
  for (const choice of choices) choice.addEventListener("change", change);
  document.getElementById("clear").addEventListener("click", () => {
    search.value = "";
    for (const choice of choices) choice.value = "";
    change();
    search.focus();
  });
  addEventListener("hashchange", recall);
  document.getElementById("filters").hidden = false;
  if (location.hash.length > 1) recall();
})();
