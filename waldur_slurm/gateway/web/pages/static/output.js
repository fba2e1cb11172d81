// What a job writes, as it writes it: events of the native API, of which the last part is shown.

const MOST = 256 * 1024;

export function follow(shown) {
  const state = shown.closest("section").querySelector("[data-output-state]");
  const source = new EventSource(shown.dataset.follow);
  const end = (text) => {
    source.close();
    state.textContent = text;
    if (shown.hidden && !shown.textContent) shown.textContent = text ? "" : "";
  };
  shown.hidden = false;
  shown.textContent = "";
  state.textContent = "following";
  source.addEventListener("output", (event) => {
    const isAtEnd = shown.scrollTop + shown.clientHeight >= shown.scrollHeight - 8;
    const text = shown.textContent + JSON.parse(event.data).text;
    shown.textContent = text.length > MOST ? text.slice(-MOST) : text;
    if (isAtEnd) shown.scrollTop = shown.scrollHeight;
  });
  source.addEventListener("end", () => end(shown.textContent ? "complete" : "it wrote nothing"));
  source.addEventListener("gone", (event) => end(JSON.parse(event.data).detail));
  source.addEventListener("error", () => {
    if (source.readyState !== EventSource.CLOSED) {
      state.textContent = "connecting again";
      return;
    }
    end("nothing to show");
    explain(shown, state);
  });
  source.addEventListener("open", () => { state.textContent = "following"; });
  shown.addEventListener("leave", () => source.close());
}

/** A stream that is refused says nothing of why; a plain question does. */
async function explain(shown, state) {
  try {
    const answer = await fetch(shown.dataset.follow);
    if (answer.ok) return;
    state.textContent = (await answer.json()).detail;
    shown.hidden = true;
  } catch {
    state.textContent = "the gateway does not answer";
  }
}
