// What makes pages live. Each works without it: nothing here shows what a plain page cannot.
import { drawJobs } from "./drawer.js";
import { follow } from "./output.js";

const root = document.documentElement;

export function say(text) {
  document.getElementById("said").textContent = text;
}

/** Times are written in UTC; here they become the reader's own. */
export function localise(within) {
  for (const each of within.querySelectorAll("time[datetime]")) {
    const at = new Date(each.dateTime);
    const two = (number) => String(number).padStart(2, "0");
    const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
    const shown = "short" in each.dataset ? day.slice(5) : day;
    each.textContent = `${shown} ${two(at.getHours())}:${two(at.getMinutes())}`;
  }
}

/** Everything that a piece of page needs once it is shown. */
export function enliven(within) {
  localise(within);
  for (const each of within.querySelectorAll("pre[data-follow]")) follow(each);
}

function chooseTheme() {
  const button = document.querySelector("[data-theme-button]");
  const themes = ["auto", "light", "dark"];
  const show = () => { button.querySelector("span").textContent = root.dataset.theme; };
  button.addEventListener("click", () => {
    const next = themes[(themes.indexOf(root.dataset.theme) + 1) % themes.length];
    root.dataset.theme = next;
    document.cookie = `sgw_theme=${next}; path=/ui; max-age=31536000; samesite=lax`;
    show();
    dispatchEvent(new Event("themechange"));
  });
  button.hidden = false;
  show();
}

/** Ask for the same page again and exchange what is live in it; never while nobody looks. */
function keepLive() {
  const first = document.getElementById("live");
  if (!first) return;
  let isOn = localStorage.getItem("live") !== "off";
  const button = () => document.querySelector("[data-live-button]");
  const show = () => {
    if (!button()) return;
    button().hidden = false;
    button().setAttribute("aria-pressed", String(isOn));
  };
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-live-button]")) return;
    isOn = !isOn;
    localStorage.setItem("live", isOn ? "on" : "off");
    show();
    if (isOn) renew();
  });
  async function renew() {
    const live = document.getElementById("live");
    if (live.contains(document.activeElement) && document.activeElement.matches("input, select")) return;
    let text;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok) return;
      text = await answer.text();
    } catch {
      return;
    }
    const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("live");
    if (fresh) exchange(live, fresh);
    show();
  }
  setInterval(() => {
    if (isOn && !document.hidden) renew();
  }, Number(first.dataset.live) * 1000);
  show();
}

/** Put the new in place of the old, and leave the reader where he is. */
function exchange(old, fresh) {
  const key = (element) => element?.getAttribute("href") ?? element?.getAttribute("aria-label");
  const focused = old.contains(document.activeElement) ? key(document.activeElement) : null;
  const region = old.querySelector(".scroll");
  const left = region?.scrollLeft ?? 0;
  localise(fresh);
  old.replaceChildren(...fresh.childNodes);
  const again = old.querySelector(".scroll");
  if (again) again.scrollLeft = left;
  if (focused) {
    [...old.querySelectorAll("a, [aria-label], button")].find((each) => key(each) === focused)
      ?.focus({ preventScroll: true });
  }
  dispatchEvent(new Event("renewed"));
}

/** Leave empty fields out of the address that a filter makes. */
function tidyFilters() {
  document.querySelector("form[data-filters]")?.addEventListener("formdata", (event) => {
    for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
  });
}

chooseTheme();
tidyFilters();
enliven(document);
keepLive();
drawJobs({ enliven, say });
