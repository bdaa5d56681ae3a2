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
  if (event.detail.xhr.status === 422) { event.detail.shouldSwap = true; event.detail.isError = false; }
});

focusProblems();
takeDrops();
offerCopies();
