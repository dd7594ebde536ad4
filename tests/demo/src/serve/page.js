"use strict";
// As CloudWatch does: an action belongs to the element right before it.
function address(action) {
  const at = new URLSearchParams(location.search);
  at.set("go", action.textContent);
  at.set("width", String(innerWidth));
  const filter = document.querySelector("input[name=filter]");
  at.set("filter", filter ? filter.value : "");
  return "/?" + at;
}
// Links are real ones, for the keyboard and for another tab.
function connect() {
  for (const action of document.querySelectorAll("a + cwdb-action")) {
    action.previousElementSibling.href = address(action);
  }
}
// Only then is known what was typed.
document.addEventListener("click", (event) => {
  if (event.target.closest("a")) connect();
});
document.addEventListener("submit", (event) => {
  event.preventDefault();
  const action = event.target.querySelector("cwdb-action");
  if (action) location.href = address(action);
});
// Somebody types, goes through the links with the keyboard, or marks a text to copy it.
function isInUse() {
  return document.activeElement !== document.body || !getSelection().isCollapsed;
}
async function refresh() {
  const at = new URLSearchParams(location.search);
  at.set("width", String(innerWidth));
  const answer = await fetch("/?" + at, { headers: { accept: "text/html" } }).catch(() => null);
  const text = answer && answer.ok ? await answer.text().catch(() => null) : null;
  if (!text || isInUse()) return;
  const fresh = new DOMParser().parseFromString(text, "text/html");
  for (const part of ["main", "section"]) {
    document.querySelector(part).innerHTML = fresh.querySelector(part).innerHTML;
  }
  connect();
}
// The page follows what happens, one look after the other.
async function follow() {
  if (!isInUse()) await refresh();
  setTimeout(follow, 5000);
}
connect();
// An address that was typed does not say how wide the window is.
if (location.search.includes("width=" + innerWidth)) setTimeout(follow, 5000);
else follow();
