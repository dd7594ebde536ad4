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
document.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  const action = link && link.nextElementSibling;
  if (action && action.localName === "cwdb-action") location.href = address(action);
});
document.addEventListener("submit", (event) => {
  event.preventDefault();
  const action = event.target.querySelector("cwdb-action");
  if (action) location.href = address(action);
});
// The page follows what happens, unless somebody is typing.
setInterval(async () => {
  if (document.activeElement && document.activeElement.localName === "input") return;
  const answer = await fetch(location.href, { headers: { accept: "text/html" } }).catch(() => null);
  if (!answer || !answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of ["main", "section"]) {
    document.querySelector(part).innerHTML = fresh.querySelector(part).innerHTML;
  }
}, 5000);
