// The form that makes one picture at a time, with its progress.

import { Events } from "./events.js";
import { call, session } from "./session.js";

const SIZES = [[512, 512], [512, 768], [768, 512], [768, 768], [832, 1216], [1216, 832], [1024, 1024]];
const LOOK_MS = 2000;

const element = (id) => document.getElementById(id);

export class PictureForm {
  #events = null;
  #job = null;
  #cancelled = false;
  #onRefusal;

  // `onRefusal` hears of every call that was refused.
  constructor(onRefusal) {
    this.#onRefusal = onRefusal;
    element("picture-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    element("cancel").addEventListener("click", () => this.#cancel());
    setInterval(() => this.#look(), LOOK_MS);
  }

  open() {
    this.#events ??= new Events(session.current.token);
    this.loadLists();
  }

  close() {
    this.#events?.close();
    this.#events = null;
    this.#ended("");
    element("progress").hidden = true;
    element("figure").hidden = true;
  }

  async loadLists() {
    const checkpoints = element("checkpoint");
    try {
      const [{ models }, { max_pixels: most }] = await Promise.all([
        call("GET", "/api/models"),
        call("GET", "/api/config/limits"),
      ]);
      options(checkpoints, models.map(({ model_name: name }) => [name, name]));
      const sizes = SIZES.filter(([width, height]) => width * height <= most);
      options(element("size"), sizes.map(([w, h]) => [`${w}x${h}`, `${w} × ${h}`]));
    } catch {
      if (!checkpoints.length) options(checkpoints, [["", "not known until Forge answers"]]);
    }
    element("draw").disabled = this.#job !== null || !checkpoints.value;
  }

  get needsLists() {
    return !element("checkpoint").value;
  }

  async #submit() {
    const [width, height] = element("size").value.split("x").map(Number);
    // Previews are small, and are shown as large as the picture will be.
    Object.assign(element("picture"), { width, height });
    element("draw").disabled = true;
    try {
      const answer = await call("POST", "/api/queue/user/txt2img", {
        model_name: element("checkpoint").value,
        prompt: element("prompt").value,
        width,
        height,
        steps: Number(element("steps").value),
      });
      this.#began(answer);
    } catch (refusal) {
      element("draw").disabled = false;
      this.#onRefusal(refusal);
    }
  }

  #began({ job_id: id, queue_size: waiting, waiting_reason: reason }) {
    this.#job = id;
    this.#cancelled = false;
    element("cancel").hidden = false;
    element("cancel").disabled = false;
    element("progress").hidden = false;
    element("figure").hidden = true;
    element("links").hidden = true;
    element("bar").hidden = false;
    element("bar").removeAttribute("value");
    say(reason ? `It waits. ${reason}` : waiting > 1 ? `Waiting, number ${waiting} in the queue.` : "Waiting for its turn.");
    this.#events.follow(id, (name, payload) => this.#heard(name, payload));
  }

  #heard(name, payload) {
    if (this.#job !== payload.job_id) return;
    if (name === "task-started") {
      say("Forge begins …");
    } else if (name === "task-progress") {
      element("bar").value = payload.progress;
      const left = Math.ceil(payload.eta_relative ?? 0);
      const step = `Step ${payload.current_step} of ${payload.total_steps}`;
      say(this.#cancelled ? "Stopping …" : left > 0 ? `${step}, ${left} s to go` : step);
      this.#preview(`${payload.progress_path}?step=${payload.current_step}`);
    } else if (name === "task-finished") {
      this.#finished();
    } else if (name === "task-failed") {
      this.#ended(this.#cancelled ? "Cancelled." : `It failed: ${payload.error}`);
    }
  }

  // A preview is shown once it is loaded, so that nothing flickers; most steps have none.
  #preview(path) {
    const job = this.#job;
    const next = new Image();
    next.onload = () => {
      if (this.#job === job) show(next.src, "A preview of the picture");
    };
    next.src = path;
  }

  #finished() {
    const path = `/api/images/${this.#job}`;
    const prompt = element("prompt").value;
    this.#ended(this.#cancelled ? "Cancelled; this is how far it came." : "Done.");
    show(path, prompt);
    element("open").href = path;
    element("download").href = path;
    element("download").download = `${path.split("/").pop()}.png`;
    element("links").hidden = false;
  }

  #ended(said) {
    this.#job = null;
    element("cancel").hidden = true;
    element("bar").hidden = true;
    element("draw").disabled = this.needsLists;
    say(said);
  }

  async #cancel() {
    this.#cancelled = true;
    element("cancel").disabled = true;
    try {
      const { status } = await call("POST", `/api/queue/interrupt/${this.#job}`);
      if (status === "removed") {
        element("figure").hidden = true;
        this.#ended("Cancelled.");
      } else if (this.#job) {
        say("Stopping …");
      }
    } catch (refusal) {
      if (this.#job) this.#onRefusal(refusal);
    }
  }

  // Events may be missed while the websocket is away, or never come through some proxy.
  async #look() {
    const job = this.#job;
    if (job === null || this.#events?.connected) return;
    const answer = await fetch(`/api/images/${job}`, { method: "HEAD" }).catch(() => null);
    if (answer?.ok && this.#job === job) this.#finished();
  }
}

function options(select, pairs) {
  const chosen = select.value;
  select.replaceChildren(...pairs.map(([value, text]) => new Option(text, value)));
  if (pairs.some(([value]) => value === chosen)) select.value = chosen;
}

function show(path, alt) {
  element("picture").src = path;
  element("picture").alt = alt;
  element("figure").hidden = false;
}

function say(text) {
  element("said").textContent = text;
}
