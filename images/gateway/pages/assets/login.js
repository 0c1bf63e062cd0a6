// Small things that make a login easier; it works without them.
"use strict";

const password = document.getElementById("password");
const reveal = document.getElementById("reveal");
const caps = document.getElementById("caps");
const form = document.querySelector("form");

reveal.hidden = false;
password.classList.add("has-button");
reveal.addEventListener("click", () => {
  const shows = password.type === "password";
  password.type = shows ? "text" : "password";
  reveal.textContent = shows ? "Hide" : "Show";
  reveal.setAttribute("aria-pressed", String(shows));
  password.focus();
});

for (const type of ["keydown", "keyup"]) {
  password.addEventListener(type, (event) => {
    const text = event.getModifierState?.("CapsLock") ? "Caps Lock is on." : "";
    if (caps.textContent !== text) caps.textContent = text;
  });
}
password.addEventListener("blur", () => (caps.textContent = ""));

form.addEventListener("submit", () => {
  // Never sent as plain text to what remembers form fields.
  password.type = "password";
  // A server does not see what follows the #; the browser takes it over the redirect.
  if (location.hash && !form.action.includes("#")) form.action += location.hash;
});
