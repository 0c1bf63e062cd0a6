// Keeps the states of the pages as they are now. Without it they are those of the moment the page was opened.
"use strict";

const EVERY_MILLISECONDS = 5000;
const OLD_SECONDS = 30;
const news = document.getElementById("news");
let known = {};

async function look() {
  let answer;
  try {
    answer = await fetch("/state/pages.json", { cache: "no-store" });
  } catch {
    return show({}, "The gateway does not answer");
  }
  // The login has ended: the login page takes over.
  if (answer.status === 401) return location.reload();
  if (!answer.ok) return show({}, "Unknown");
  const { at, pages } = await answer.json();
  const now = Date.parse(answer.headers.get("Date")) / 1000;
  return now - at > OLD_SECONDS ? show({}, "Unknown") : show(pages, "Unknown");
}

function show(pages, otherwise) {
  const changes = [];
  for (const place of document.querySelectorAll("[data-page]")) {
    const { state, text } = pages[place.dataset.page] ?? { state: "unknown", text: otherwise };
    const shown = place.querySelector(".state") ?? place.appendChild(document.createElement("span"));
    shown.className = `state ${state}`;
    shown.textContent = text;
    const before = known[place.dataset.page];
    if (before !== undefined && before !== text) changes.push(`${place.dataset.name}: ${text}`);
    known[place.dataset.page] = text;
  }
  if (changes.length > 0) news.textContent = changes.join(". ");
}

function turn() {
  if (!document.hidden) void look();
}
document.addEventListener("visibilitychange", turn);
setInterval(turn, EVERY_MILLISECONDS);
turn();
