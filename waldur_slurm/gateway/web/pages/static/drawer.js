// A job beside the list it is in: the job's own page, shown in a dialog; the address says so.

export function drawJobs({ enliven, say }) {
  const dialog = document.getElementById("drawer");
  const body = dialog.querySelector("[data-drawer-body]");
  const place = dialog.querySelector("[data-drawer-page]");
  let opener = null;

  async function show(href, request) {
    let answer, text;
    try {
      answer = await fetch(href, request);
      text = await answer.text();
    } catch {
      say("The gateway does not answer.");
      return;
    }
    const page = new DOMParser().parseFromString(text, "text/html");
    const found = page.getElementById("job") ?? page.querySelector("main > *");
    if (!found || answer.status === 401) {
      location.assign(href);
      return;
    }
    leave();
    place.href = new URL(href, location.href).pathname;
    body.replaceChildren(found);
    enliven(body);
    if (!dialog.open) dialog.showModal();
    const notice = body.querySelector("[role=status], [role=alert]");
    if (notice) say(notice.textContent);
  }

  function leave() {
    for (const each of body.querySelectorAll("pre[data-follow]")) each.dispatchEvent(new Event("leave"));
  }

  function mark(job) {
    const address = new URL(location.href);
    if (job) address.searchParams.set("job", job);
    else address.searchParams.delete("job");
    history.replaceState(null, "", address);
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-job]");
    const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey;
    if (!link || !isPlain || !document.querySelector("table.jobs")) return;
    event.preventDefault();
    opener = link.getAttribute("href");
    mark(link.dataset.job);
    show(link.href);
  });

  body.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-act]");
    if (!form) return;
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    show(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  });

  dialog.querySelector("[data-drawer-close]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => {
    leave();
    body.replaceChildren();
    mark("");
    if (opener) document.querySelector(`a[href="${CSS.escape(opener)}"]`)?.focus();
  });

  const wanted = new URL(location.href).searchParams.get("job");
  if (wanted) {
    const link = [...document.querySelectorAll("a[data-job]")].find((each) => each.dataset.job === wanted);
    show(link ? link.href : `${dialog.dataset.ui}/jobs/${encodeURIComponent(wanted)}`);
  }
}
