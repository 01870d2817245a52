// Drives Chromium for browser.py. Each line of standard input is a command in JSON, each line of
// standard output the answer to one. It ends, and Chromium with it, when standard input does.

import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const [, , executablePath, limitMs] = process.argv;

const browser = await chromium.launch({ executablePath });
const pages = new Map();

function told(text) {
  return text.split("\n")[0];
}

// A page with storage and cookies of its own. `hosts` are those that it may send requests to.
async function create({ page: name, hosts }) {
  const context = await browser.newContext({ viewport: { width: 1000, height: 900 } });
  context.setDefaultTimeout(Number(limitMs));
  const page = await context.newPage();
  const problems = [];
  context.on("request", (request) => {
    const { protocol, host } = new URL(request.url());
    if (!["data:", "blob:"].includes(protocol) && !hosts.includes(host)) {
      problems.push(`request to another host: ${host}`);
    }
  });
  context.on("console", (message) => {
    if (message.type() !== "error") return;
    problems.push(`console: ${message.text()} (${message.location().url})`);
  });
  context.on("weberror", (error) => problems.push(`error: ${error.error().stack}`));
  pages.set(name, { context, page, problems });
}

const commands = {
  open: async ({ page }, { url }) => void (await page.goto(url)),
  // Calls a function of the page's `window.compass`; the answer is what it resolves to.
  call: ({ page }, { name, values }) =>
    page.evaluate(([name, values]) => window.compass[name](...values), [name, values ?? []]),
  click: ({ page }, { selector }) => page.click(selector),
  fill: ({ page }, { selector, text }) => page.fill(selector, text),
  press: ({ page }, { key }) => page.keyboard.press(key),
  // Waits until such an element is seen, with this text in it if one is given.
  see: async ({ page }, { selector, text }) => {
    const filter = text === undefined ? {} : { hasText: text };
    await page.locator(selector).filter({ ...filter, visible: true }).first().waitFor();
  },
  text: ({ page }, { selector }) => page.locator(selector).innerText(),
  address: ({ page }) => page.url(),
  resize: ({ page }, size) => page.setViewportSize({ width: size.width, height: size.height }),
  width: ({ page }) => page.evaluate(() => document.documentElement.scrollWidth),
  type: ({ page }) => page.evaluate(() => document.contentType),
  // Waits until the picture is loaded; gives its own width and height.
  picture: async ({ page }, { selector }) => {
    const picture = page.locator(selector);
    await picture.waitFor();
    return picture.evaluate(async (image) => {
      await image.decode();
      return { width: image.naturalWidth, height: image.naturalHeight, src: image.src };
    });
  },
  screenshot: async ({ page }, { path }) => void (await page.screenshot({ path, fullPage: true })),
  problems: ({ problems }) => problems,
  close: ({ context }, { page: name }) => {
    pages.delete(name);
    return context.close();
  },
};

// No page may keep the tests waiting for ever.
function limited(promise) {
  return Promise.race([
    promise,
    new Promise((_, reject) => {
      setTimeout(reject, Number(limitMs) + 1000, new Error("took too long")).unref();
    }),
  ]);
}

async function answer(command) {
  if (command.do === "create") return create(command);
  return commands[command.do](pages.get(command.page), command);
}

for await (const line of createInterface({ input: process.stdin })) {
  let answered;
  try {
    answered = { value: (await limited(answer(JSON.parse(line)))) ?? null };
  } catch (error) {
    answered = { error: error.message };
  }
  process.stdout.write(`${JSON.stringify(answered)}\n`);
}
await browser.close();
