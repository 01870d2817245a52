// Navigator's live events: as much of socket.io 4 over one websocket as this page needs.

const AGAIN_MS = 2000;
const KEPT = 20;

export class Events {
  #token;
  #socket = null;
  #closed = false;
  #last = new Map();
  #listener = null;
  connected = false;

  constructor(token) {
    this.#token = token;
    this.#open();
  }

  // Calls `listener(name, payload)` for each event of the job, the last one that came before too:
  // it may have overtaken the answer that named the job.
  follow(jobId, listener) {
    this.#listener = { jobId, listener };
    const last = this.#last.get(jobId);
    if (last) listener(...last);
  }

  close() {
    this.#closed = true;
    this.#socket?.close();
  }

  #open() {
    const url = new URL("/socket.io/?EIO=4&transport=websocket", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.#socket = new WebSocket(url);
    this.#socket.onmessage = ({ data }) => this.#take(String(data));
    this.#socket.onclose = () => {
      this.connected = false;
      if (!this.#closed) setTimeout(() => this.#closed || this.#open(), AGAIN_MS);
    };
  }

  #take(text) {
    if (text.startsWith("0")) {
      this.#socket.send(`40${JSON.stringify({ token: this.#token })}`);
    } else if (text === "2") {
      this.#socket.send("3");
    } else if (text.startsWith("40")) {
      this.connected = true;
    } else if (text.startsWith("42")) {
      const [name, payload] = JSON.parse(text.slice(2));
      this.#tell(name, payload ?? {});
    }
  }

  #tell(name, payload) {
    if (!name.startsWith("task-") || !payload.job_id) return;
    this.#last.delete(payload.job_id);
    this.#last.set(payload.job_id, [name, payload]);
    if (this.#last.size > KEPT) this.#last.delete(this.#last.keys().next().value);
    if (this.#listener?.jobId === payload.job_id) this.#listener.listener(name, payload);
  }
}
