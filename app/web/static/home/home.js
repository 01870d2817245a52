// Our page: whether Forge answers, logging in (also by /?code=…), and making a picture.

import { PictureForm } from "./picture.js";
import {
  Refusal,
  call,
  discordAddress,
  isForUs,
  login,
  logout,
  saidOf,
  session,
} from "./session.js";

const STATUS_MS = 3000;
// Navigator takes one login a minute from an address, after some at once.
const AGAIN_MS = 60_000;

const element = (id) => document.getElementById(id);
const form = new PictureForm(refused);
let waiting = null; // the code of somebody who waits for approval
let discord = null;

function notice(text) {
  element("notice").textContent = text;
  element("notice").hidden = !text;
}

function showLogin() {
  const { current } = session;
  element("waiting").hidden = waiting === null || current !== null;
  element("login").hidden = current !== null || waiting !== null;
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
  waiting = null;
  try {
    await login(code);
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    session.forget();
    if (refusal.code === "USER_PENDING") wait(code, saidOf(refusal));
    else notice(saidOf(refusal));
  }
  showLogin();
}

// An invitation opens its account again and again while it waits; a code of Discord's works once.
function wait(code, text) {
  const isInvitation = code.startsWith("nav-");
  waiting = isInvitation ? code : "";
  const then = isInvitation
    ? "This page tries again every minute, and you are in as soon as they agree."
    : "Log in again once they have agreed.";
  element("waiting-text").textContent = `${text} ${then}`;
}

function tryAgain() {
  if (waiting) return logInWith(waiting);
  waiting = null;
  notice("");
  if (discord) location.assign(discordAddress(discord));
  else showLogin();
}

async function lookAround() {
  if (document.hidden) return;
  const forge = element("forge");
  try {
    const status = await call("GET", "/api/status");
    const ready = status.forge === "ready";
    forge.className = ready ? "state good" : "state bad";
    forge.textContent = ready ? "Forge is ready" : "Forge does not answer";
    discord = status.discord?.authorize_url ?? null;
    element("discord").hidden = !discord;
    element("demo-on").hidden = !status.demo_user;
    element("demo-off").hidden = status.demo_user || Boolean(discord);
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
  const isOurs = code === null || isForUs(code, address.searchParams.get("state"));
  for (const name of ["code", "state"]) address.searchParams.delete(name);
  if (code !== null) history.replaceState(null, "", address);
  return isOurs ? code : null;
}

element("discord-link").addEventListener("click", (event) => {
  event.preventDefault();
  location.assign(discordAddress(discord));
});
element("again").addEventListener("click", tryAgain);
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
setInterval(() => waiting && logInWith(waiting), AGAIN_MS);
document.addEventListener("visibilitychange", lookAround);
