// The worker from the side of the page: calls with a time limit, and a new worker after a failure.
const LIMIT = 10_000; // milliseconds of one call

export class Stopped extends Error {}

export class Interpreter {
  #calls = new Map();
  #last = 0;

  constructor(onState) {
    this.onState = onState;
    this.#begin();
  }

  /** The answer of a function of playground.py. Rejects with Stopped if the worker was stopped. */
  async call(name, ...args) {
    await this.ready;
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#restart(
        `convcost was stopped after ${LIMIT / 1000} seconds and started again: ` +
          "this spec takes too long. Change it to try again."), LIMIT);
      this.#calls.set(id, { resolve, reject, timer });
      this.worker.postMessage({ id, name, args });
    });
  }

  #begin() {
    this.worker = new Worker("worker.js", { type: "module" });
    this.ready = new Promise((resolve, reject) => {
      this.worker.onmessage = ({ data }) => {
        if (data.ready) resolve();
        else if (data.id === undefined) reject(new Error(data.fatal));
        else this.#answer(data);
      };
      this.worker.onerror = (event) => reject(new Error(event.message || "the worker cannot start"));
    });
    this.ready.then(() => this.onState("ready"), (error) => this.onState("failed", error.message));
  }

  #answer({ id, value, error, kind, fatal }) {
    const call = this.#calls.get(id);
    if (fatal) {
      this.#restart(kind === "MemoryError"
        ? "convcost was stopped and started again: this spec needs too much memory. Change it to try again."
        : `convcost was stopped and started again after an error of its own: ${error}`);
      return;
    }
    this.#calls.delete(id);
    clearTimeout(call.timer);
    if (error === undefined) call.resolve(JSON.parse(value));
    else call.reject(new Error(error));
  }

  #restart(reason) {
    this.worker.terminate();
    for (const { reject, timer } of this.#calls.values()) {
      clearTimeout(timer);
      reject(new Stopped(reason));
    }
    this.#calls.clear();
    this.onState("starting");
    this.#begin();
  }
}
