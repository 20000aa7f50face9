// Runs before the first paint, so that a dark page never flashes white; without it pages are light.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const follow = () => { document.documentElement.dataset.bsTheme = dark.matches ? "dark" : "light"; };
dark.addEventListener("change", follow);
// Paper is white, whatever the screen is.
window.addEventListener("beforeprint", () => { document.documentElement.dataset.bsTheme = "light"; });
window.addEventListener("afterprint", follow);
follow();
