// The worker from the side of the page: calls with a time limit, and a new worker after a failure.
const LIMIT = 10_000; // milliseconds of one call

export class Interpreter {
  #call = null; // the one that runs
  #before = Promise.resolve();

  constructor(onFailure) {
    this.onFailure = onFailure;
    this.#begin();
  }

  /**
   * The answer of a function of playground.py. Calls run one after the other.
   * It rejects if the worker is stopped during the call; later calls go to the next worker.
   */
  call(name, ...args) {
    const answer = this.#before.then(() => this.#run(name, args));
    this.#before = answer.catch(() => {});
    return answer;
  }

  async #run(name, args) {
    await this.ready;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#restart(
        `convcost was stopped after ${LIMIT / 1000} seconds and started again: ` +
          "this spec takes too long. Change it to try again."), LIMIT);
      this.#call = { resolve, reject, timer };
      this.worker.postMessage({ name, args });
    });
  }

  #begin() {
    const worker = new Worker("worker.js", { type: "module" });
    this.worker = worker;
    this.ready = new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => {
        if (worker !== this.worker) return;
        if (data.ready) resolve();
        else if (data.startFailed) reject(new Error(data.startFailed));
        else this.#answer(data);
      };
      worker.onerror = (event) => reject(new Error(event.message || "the worker cannot start"));
    });
    this.ready.catch((error) => this.onFailure(error.message));
  }

  #answer({ value, error, kind, fatal }) {
    const { resolve, reject, timer } = this.#call;
    if (fatal) {
      console.error(error);
      this.#restart(kind === "MemoryError"
        ? "convcost was stopped and started again: this spec needs too much memory. Change it to try again."
        : `convcost was stopped and started again after an error of its own: ${error.split("\n").at(-1)}`);
      return;
    }
    clearTimeout(timer);
    if (error === undefined) resolve(JSON.parse(value));
    else reject(new Error(error));
  }

  #restart(reason) {
    this.worker.terminate();
    clearTimeout(this.#call.timer);
    this.#begin();
    this.#call.reject(new Error(reason));
  }
}
