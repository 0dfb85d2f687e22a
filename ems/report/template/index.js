"use strict";
(() => {
  const choices = ["study", "status"].map((name) => document.getElementById(name));
  const rows = [...document.getElementById("runs").tBodies[0].rows];
  const count = document.getElementById("count");
  const none = document.getElementById("none");

  function show() {
    let shown = 0;
    for (const row of rows) {
      const fits = choices.every((choice) => choice.value === "" || row.dataset[choice.id] === choice.value);
      row.hidden = !fits;
      shown += fits;
    }
    const words = rows.length === 1 ? "run" : "runs";
    count.textContent = shown === rows.length
      ? `${rows.length} ${words}, newest first`
      : `${shown} of ${rows.length} ${words}, newest first`;
    none.hidden = shown > 0;
  }

  // The choice is kept in the address, so that it survives a reload and can be sent to somebody.
  function remember() {
    const kept = new URLSearchParams();
    for (const choice of choices) {
      if (choice.value) kept.set(choice.id, choice.value);
    }
    const text = kept.toString();
    history.replaceState(null, "", text ? `#${text}` : location.pathname);
  }

  function recall() {
    const kept = new URLSearchParams(location.hash.slice(1));
    for (const choice of choices) {
      const value = kept.get(choice.id) ?? "";
      choice.value = [...choice.options].some((option) => option.value === value) ? value : "";
    }
    show();
  }

  for (const choice of choices) {
    choice.addEventListener("change", () => {
      show();
      remember();
    });
  }
  addEventListener("hashchange", recall);
  document.getElementById("filters").hidden = false;
  recall();
})();
