// Our page: whether Forge answers, logging in (also by /?code=…), and making a picture.

import { PictureForm } from "./picture.js";
import { Refusal, call, login, logout, saidOf, session } from "./session.js";

const STATUS_MS = 3000;

const element = (id) => document.getElementById(id);
const form = new PictureForm(refused);

function notice(text) {
  element("notice").textContent = text;
  element("notice").hidden = !text;
}

function showLogin() {
  const { current } = session;
  element("login").hidden = current !== null;
  element("make").hidden = current === null;
  element("who").hidden = current === null;
  element("name").textContent = current?.name ?? "";
  if (current) form.open();
  else form.close();
}

function refused(refusal) {
  if (refusal.status === 401) {
    session.forget();
    showLogin();
    notice("You are not logged in any more.");
  } else {
    notice(refusal.message);
  }
}

async function logInWith(code) {
  notice("");
  try {
    await login(code);
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    session.forget();
    notice(saidOf(refusal));
  }
  showLogin();
}

async function lookAround() {
  if (document.hidden) return;
  const forge = element("forge");
  try {
    const status = await call("GET", "/api/status");
    const ready = status.forge === "ready";
    forge.className = ready ? "state good" : "state bad";
    forge.textContent = ready ? "Forge is ready" : "Forge does not answer";
    element("demo-on").hidden = !status.demo_user;
    element("demo-off").hidden = status.demo_user;
    element("install").hidden = status.compass;
    element("installed").hidden = !status.compass;
    if (ready && session.current && form.needsLists) form.loadLists();
  } catch {
    forge.className = "state bad";
    forge.textContent = "Navigator does not answer";
  }
}

// A code works once and is nobody else's business, so it does not stay in the address bar.
function takeCode() {
  const address = new URL(location.href);
  const code = address.searchParams.get("code");
  for (const name of ["code", "state"]) address.searchParams.delete(name);
  if (code !== null) history.replaceState(null, "", address);
  return code;
}

element("demo").addEventListener("click", () => logInWith("DEMO_USER"));
element("logout").addEventListener("click", async () => {
  await logout();
  notice("");
  showLogin();
});
element("code-form").addEventListener("submit", (event) => {
  event.preventDefault();
  logInWith(element("code").value.trim());
});

const code = takeCode();
if (code !== null) await logInWith(code);
else showLogin();
await lookAround();
if (session.current) call("GET", "/api/user/me").catch(refused);
setInterval(lookAround, STATUS_MS);
document.addEventListener("visibilitychange", lookAround);
