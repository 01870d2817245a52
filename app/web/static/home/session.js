// Who is logged in on this page, and calls of Navigator's API in their name.

const KEY = "navigator-session";
const STATE_KEY = "navigator-discord-state";

export class Refusal extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export const session = {
  get current() {
    try {
      return JSON.parse(localStorage.getItem(KEY));
    } catch {
      return null;
    }
  },
  keep(token, name) {
    localStorage.setItem(KEY, JSON.stringify({ token, name }));
  },
  forget() {
    localStorage.removeItem(KEY);
  },
};

// What the API answers; throws a Refusal with its sentence when it refuses or cannot be reached.
export async function call(method, path, body) {
  const headers = {};
  const token = session.current?.token;
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Refusal(0, "UNREACHABLE", "Navigator cannot be reached.");
  }
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    throw new Refusal(answer.status, told.error_code, told.error ?? `Error ${answer.status}.`);
  }
  return told;
}

// Exchanges a login code; gives the name of whoever is logged in then.
export async function login(code) {
  const { token, user } = await call("POST", "/api/auth/login", { code });
  const name = user.global_name ?? user.username ?? user.id;
  session.keep(token, name);
  await call("GET", "/api/user/me");
  return name;
}

export async function logout() {
  session.forget();
  await call("POST", "/api/auth/logout").catch(() => {});
}

// Where Discord asks whether we may know who somebody is, and sends them back from with a code.
export function discordAddress(authorizeUrl) {
  const state = crypto.getRandomValues(new Uint32Array(4)).join("-");
  sessionStorage.setItem(STATE_KEY, state);
  const address = new URL(authorizeUrl);
  address.searchParams.set("state", state);
  return address.href;
}

// Whether a code that came with this state is for this page: an invitation, or an answer to what
// was asked of Discord here. Others would log somebody into an account that is not theirs.
export function isForUs(code, state) {
  const asked = sessionStorage.getItem(STATE_KEY);
  sessionStorage.removeItem(STATE_KEY);
  return code.startsWith("nav-") || code === "DEMO_USER" || (asked !== null && state === asked);
}

// What to say of a login that did not work.
export function saidOf(refusal) {
  switch (refusal.code) {
    case "USER_PENDING":
      return "The owner of this Navigator has been told that you are here.";
    case "INVITATION_USED":
    case "INVITATION_EXPIRED":
    case "INVITATION_REVOKED":
    case "THROTTLED":
      return refusal.message;
    case "USER_DISABLED":
      return "Your account is not allowed in here. Ask whoever runs this Navigator.";
    case "DEMO_USER_DISABLED":
      return "The demo user is switched off here.";
    case "LOGIN_FAILED":
    case "CODE_REQUIRED":
      return "The login failed: this code is not valid, or not any more. Ask for a new one.";
    default:
      return `The login failed: ${refusal.message}`;
  }
}
