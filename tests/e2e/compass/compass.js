// A stand-in for Compass: makes the calls that tests/recordings/compass/README.md lists, with the
// same libraries. The tests call what `window.compass` holds; what is shown can be looked at.

import axios from "./axios-Cx4_k9aZ.js";
import { io } from "./socket.io-B2kd81Qa.js";

const API_BASE = "COMPASS_APP_API_BASE";
const RT_API_BASE = "COMPASS_APP_RT_API_BASE";
const BASE_URL = "COMPASS_APP_BASE_URL";
const DISCORD = {
  clientId: "COMPASS_APP_DISCORD_CLIENT_ID",
  redirectUri: "COMPASS_APP_DISCORD_REDIRECT_URI",
};
const KEY = "compass-session";
const EVENTS = [
  "task-started", "task-progress", "task-finished", "task-failed", "model-changed",
  "models-refreshed",
];

const element = (id) => document.getElementById(id);
const session = () => JSON.parse(localStorage.getItem(KEY));

function keep(token, user, role) {
  localStorage.setItem(KEY, JSON.stringify({ token, user, role }));
  element("who").textContent = `${user.global_name} (${role})`;
}

function logOut() {
  localStorage.removeItem(KEY);
  element("who").textContent = "nobody";
}

// Calls

const http = axios.create({ baseURL: API_BASE });
http.interceptors.request.use((config) => {
  if (session()) config.headers.Authorization = `Bearer ${session().token}`;
  return config;
});
http.interceptors.response.use(undefined, (error) => {
  if (error.response?.status === 401) logOut();
  throw error;
});

// Status and body, also of a refusal. Throws when there is no answer that may be read.
async function ask(method, url, data) {
  try {
    const answer = await http.request({ method, url, data });
    return { status: answer.status, data: answer.data };
  } catch (error) {
    if (!error.response) throw error;
    return { status: error.response.status, data: error.response.data };
  }
}

async function login(code) {
  const { status, data } = await ask("post", "/api/auth/login", { code });
  if (status === 200) {
    keep(data.token, data.user, data.role);
    return "";
  }
  const reasons = {
    DEMO_USER_DISABLED: "The demo user is switched off",
    USER_DISABLED: "This account is disabled",
  };
  element("notice").textContent = reasons[data.error_code] ?? "Failed to log in";
  return element("notice").textContent;
}

async function checkSession() {
  const { status, data } = await ask("get", "/api/user/me");
  if (status === 401 || status === 403) logOut();
  else keep(session().token, session().user, data.user.role);
}

// Asks for the head of the picture, then for the picture; gives what came.
async function download(path) {
  const head = await http.head(path);
  const { data: picture } = await http.get(path, { responseType: "blob" });
  const announced = Number(head.headers["content-length"]);
  return { status: head.status, type: picture.type, size: picture.size, announced };
}

// Events

const heard = [];
const waiting = new Set();
const transports = [];
const socket = io(RT_API_BASE);
let connections = 0;
let job = null;

socket.io.on("open", () => {
  const { engine } = socket.io;
  transports.push(engine.transport.name);
  engine.on("upgrade", (transport) => {
    transports.push(transport.name);
    changed();
  });
});
socket.on("connect", () => {
  connections += 1;
  changed();
});
for (const name of EVENTS) {
  socket.on(name, (payload) => {
    heard.push({ name, payload });
    if (payload.job_id === job) show(name, payload);
    changed();
  });
}

function changed() {
  for (const look of [...waiting]) look();
}

// Resolves to what `look` gives once that is neither null nor undefined or false.
function until(look) {
  return new Promise((resolve) => {
    const settle = () => {
      const found = look();
      if (found === undefined || found === null || found === false) return;
      waiting.delete(settle);
      resolve(found);
    };
    waiting.add(settle);
    settle();
  });
}

// The payload of the job's first event of this name, of any job's if there is no id. Only events
// from the place `since` on count.
function event(name, jobId, since = 0) {
  const wanted = (one) => one.name === name && (!jobId || one.payload.job_id === jobId);
  return until(() => heard.slice(since).find(wanted)?.payload);
}

function show(name, payload) {
  if (name === "task-progress") {
    element("progress").textContent = `${payload.current_step}/${payload.total_steps}`;
    element("preview").src = `${API_BASE}${payload.progress_path}?step=${payload.current_step}`;
    element("preview").hidden = false;
  } else if (name === "task-finished") {
    element("picture").src = API_BASE + payload.img_path;
    element("picture").hidden = false;
    element("preview").hidden = true;
  } else if (name === "task-failed") {
    element("notice").textContent = payload.error;
  }
}

// Sends it as the form of Compass does, shows what comes of it, and gives the answer.
async function generate(parameters, url = "/api/queue/user/txt2img") {
  const answer = await ask("post", url, parameters);
  job = answer.data.job_id;
  return answer;
}

// A page of the gallery: every card loads the full picture.
async function gallery(page, categoryId) {
  const filter = categoryId === undefined ? "" : `&category_id=${categoryId}`;
  const { data } = await ask("get", `/api/user/jobs?page=${page}&limit=10${filter}`);
  const cards = data.images.map(({ id }) => {
    const card = new Image(64, 64);
    card.src = `${API_BASE}/api/images/${id}`;
    return card;
  });
  element("gallery").replaceChildren(...cards);
  await Promise.all(cards.map((card) => card.decode()));
  return data;
}

window.compass = {
  ask,
  download,
  event,
  gallery,
  generate,
  login,
  built: () => ({ API_BASE, RT_API_BASE, BASE_URL, DISCORD }),
  count: () => heard.length,
  names: (jobId) => heard.filter(({ payload }) => payload.job_id === jobId).map(({ name }) => name),
  restore: (token) => keep(token, { id: "friend", global_name: "Friend", avatar: null }, 0),
  session,
  connected: (times) => until(() => connections >= times && connections),
  // The names of the transports so far, once there are so many.
  transports: (count) => until(() => transports.length >= count && transports),
};
const code = new URL(location.href).searchParams.get("code");
if (code) await login(code);
if (session()) await checkSession();
document.body.dataset.ready = "yes";
