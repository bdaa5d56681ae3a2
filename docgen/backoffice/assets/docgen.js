// The little that pages need beyond htmx. Every screen works without it.
"use strict";

// Errors take the focus: whoever cannot see them hears them first.
function focusProblems() {
  const problems = document.querySelector("[data-focus]");
  if (problems) problems.focus();
}

// Files dropped on a zone go to its file field.
function takeDrops() {
  for (const zone of document.querySelectorAll(".drop")) {
    const field = zone.querySelector("input[type=file]");
    if (!field) continue;
    for (const kind of ["dragenter", "dragover"])
      zone.addEventListener(kind, (event) => { event.preventDefault(); zone.classList.add("over"); });
    for (const kind of ["dragleave", "drop"])
      zone.addEventListener(kind, () => zone.classList.remove("over"));
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      field.files = event.dataTransfer.files;
      field.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }
}

// What is shown once can be copied by a button, where the browser lets a page do so.
function offerCopies() {
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
      button.textContent = "Copié";
    });
  }
}

// Scans go one by one, each with its progress and its answer; without script they go together.
function sendOne(form, file, line) {
  return new Promise((done) => {
    const sent = new FormData(), request = new XMLHttpRequest(), bar = document.createElement("progress");
    sent.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    sent.append("files", file);
    bar.max = 1; bar.setAttribute("aria-label", file.name);
    line.replaceChildren(`${file.name} : envoi…`, bar);
    request.upload.addEventListener("progress", (event) => { bar.value = event.loaded / (event.total || 1); });
    request.addEventListener("loadend", () => {
      const told = request.status === 200 ? JSON.parse(request.responseText) : { received: [], problems: ["l’envoi a échoué. Essayez de nouveau."] };
      const [received] = told.received, link = document.createElement("a");
      if (received) { link.href = received.address; link.textContent = received.is_new ? "reçu, voir la lecture" : "déjà reçu, voir ce qu’il a donné"; }
      line.replaceChildren(`${file.name} : `, received ? link : `refusé. ${told.problems.map((text) => text[0].toUpperCase() + text.slice(1)).join(" ")}`);
      if (!received) line.className = "wrong";
      done(received);
    });
    request.open("POST", form.action || location.href);
    request.setRequestHeader("Accept", "application/json");
    request.send(sent);
  });
}
document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-upload]");
  if (!form) return;
  event.preventDefault();
  const field = form.querySelector("input[type=file]"), button = form.querySelector("button"), all = [];
  const lines = form.querySelector(".sending");
  button.disabled = true;
  lines.replaceChildren();
  for (const file of field.files) {
    const line = lines.appendChild(document.createElement("li"));
    if (file.size > Number(form.dataset.most)) { line.className = "wrong"; line.textContent = `${file.name} : refusé. Ce fichier est trop gros. Envoyez la pile en plusieurs fichiers.`; all.push(null); }
    else all.push(await sendOne(form, file, line));
  }
  button.disabled = false;
  field.value = "";
  if (all.length === 1 && all[0]) location.assign(all[0].address);
  else htmx.ajax("GET", location.href, { target: "#list", select: "#list", swap: "outerHTML" });
});

// Keys of one letter work only for who asked for them (WCAG 2.1.4), and never while one types.
function showKeys() {
  const help = document.querySelector("[data-keys]"), wanted = localStorage.getItem("keys") === "on";
  if (!help) return;
  help.hidden = false;
  help.querySelector("input").checked = wanted;
  document.body.classList.toggle("with-keys", wanted);
}
document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-keys] input")) return;
  localStorage.setItem("keys", event.target.checked ? "on" : "off");
  showKeys();
});
document.addEventListener("keydown", (event) => {
  const types = event.target.matches("textarea, select, input:not([type=radio]):not([type=checkbox])");
  const isOn = document.querySelector("[data-keys] input:checked");
  if (!isOn || types || event.ctrlKey || event.altKey || event.metaKey) return;
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);  // on a French keyboard 1 is « & »
  const wanted = document.querySelector(`[data-key="${CSS.escape(digit ? digit[1] : event.key.toLowerCase())}"]`);
  if (!wanted) return;
  event.preventDefault();
  if (wanted.matches("input")) wanted.focus();
  if (wanted.matches("a, button, input[type=radio]")) wanted.click();
});

// A page that takes the place of another one in the same document begins where it begins.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id !== "main") return;
  showKeys();
  (event.target.querySelector("[data-focus]") || event.target).focus({ preventScroll: true });
});

// Arrows go from a field to what it found, and along it; a marked field is typed over at once.
document.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const zone = event.target.closest("[data-arrows]");
  if (!step || !zone || event.target.tagName === "SELECT") return;
  const stops = [...zone.querySelectorAll("input[type=search], #found button")];
  const next = stops[stops.indexOf(event.target) + step];
  if (next) { event.preventDefault(); next.focus(); }
});
function markFields() {
  const field = document.querySelector("input[data-select]");
  if (field) field.select();
}

// On a telephone the lines of a list are cards (docgen.css): each cell says what its head says.
function labelCells(place) {
  const roles = { TABLE: "table", THEAD: "rowgroup", TBODY: "rowgroup", TR: "row", TD: "cell" };
  for (const table of place.querySelectorAll(".table-wrap > table:not(.rows, .cards)")) {
    const heads = [...table.querySelectorAll("thead th, thead td")];
    const rows = [...table.querySelectorAll("tbody tr")];
    const isSeen = (head) => !head.querySelector(".visually-hidden");
    const labels = heads.map((head) => isSeen(head) ? head.innerText.replace(/[▲▼]/g, "").replace(/\s+/g, " ").trim() : "");
    if (rows.some((row) => row.cells.length !== heads.length)) continue;
    for (const row of rows)
      heads.forEach((head, n) => { row.cells[n].dataset.label = n ? labels[n] : ""; });
    for (const part of [table, ...table.querySelectorAll("thead, tbody, tr, td")]) part.setAttribute("role", roles[part.tagName]);
    for (const head of table.querySelectorAll("th")) head.setAttribute("role", head.scope === "row" ? "rowheader" : "columnheader");
    table.classList.add("cards");
  }
}
document.addEventListener("htmx:load", (event) => labelCells(event.target));

// A form sent once is not sent again by a second click; one that gives a file (data-again) may be.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented || "again" in form.dataset) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// Invalid answers are pages too: htmx shows them.
document.addEventListener("htmx:beforeSwap", (event) => {
  if ([409, 422].includes(event.detail.xhr.status)) { event.detail.shouldSwap = true; event.detail.isError = false; }
});

labelCells(document);
markFields();
focusProblems();
takeDrops();
showKeys();
offerCopies();
