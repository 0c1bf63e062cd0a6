import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Browser as Chromium, type BrowserContext, chromium, type Page } from "playwright-core";
import { findProgram } from "../toolchain/hostCommand";

/** A phone and a desk. */
export const SCREENS = { phone: { width: 390, height: 844 }, desktop: { width: 1366, height: 850 } } as const;

/** Chromium of this machine, for pages that a gateway shows. */
export class Browser {
  private constructor(
    private readonly chromium: Chromium,
    readonly address: string,
  ) {}

  /** @param address of the gateway, such as `https://100.64.1.11:8443` */
  static async start(address: string): Promise<Browser> {
    const executablePath = findProgram("chromium");
    if (executablePath === undefined)
      throw new Error("there is no chromium on this machine; Debian's package is chromium");
    // As root it has no sandbox, and all it is shown is ours.
    return new Browser(await chromium.launch({ executablePath, args: ["--no-sandbox"] }), address);
  }

  async stop(): Promise<void> {
    await this.chromium.close();
  }

  /** Somebody with cookies of their own, who has not logged in. */
  async visitor(screen: keyof typeof SCREENS = "desktop"): Promise<Visitor> {
    const context = await this.chromium.newContext({
      ignoreHTTPSErrors: true,
      viewport: SCREENS[screen],
      baseURL: this.address,
    });
    return new Visitor(context, await context.newPage());
  }

  /** Somebody who has logged in. */
  async login(name: string, password: string, screen: keyof typeof SCREENS = "desktop"): Promise<Visitor> {
    const visitor = await this.visitor(screen);
    await visitor.login(name, password);
    return visitor;
  }
}

/** How many of a page's troubles an error tells. */
const LAST_TROUBLES = 20;

/** One person at one screen. */
export class Visitor {
  /** What went wrong on the page, the last of it last. */
  private readonly troubles: string[] = [];

  constructor(
    private readonly context: BrowserContext,
    readonly page: Page,
  ) {
    page.on("response", (answer) => {
      if (answer.status() >= 400) this.trouble(`${answer.status()} for ${answer.url()}`);
    });
    page.on("requestfailed", (request) => this.trouble(`${request.failure()?.errorText} for ${request.url()}`));
    page.on("pageerror", (error) => this.trouble(error.message));
  }

  /** Types name and password where the gateway asks for them, and waits for what it answers. */
  async login(name: string, password: string): Promise<void> {
    await this.page.goto("/");
    await this.page.fill('input[autocomplete="username"]', name);
    await this.page.fill('input[type="password"]', password);
    await Promise.all([this.page.waitForNavigation(), this.page.keyboard.press("Enter")]);
  }

  /** Opens a page and waits until it is drawn. @returns the status of the answer */
  async open(path: string): Promise<number> {
    const answer = await this.page.goto(path, { waitUntil: "load" });
    return answer?.status() ?? 0;
  }

  /** Waits until it is to be seen; the error tells what was there instead. */
  async see(selector: string, seconds = 30): Promise<void> {
    const found = this.page.locator(selector).locator("visible=true").first();
    await found.waitFor({ timeout: seconds * 1000 }).catch(async (error: unknown) => {
      throw new Error(`${selector} is not seen within ${seconds} s\n${await this.shown()}`, { cause: error });
    });
  }

  /** What there is to see, in words. */
  private async shown(): Promise<string> {
    const pictures = await this.page
      .locator("img")
      .evaluateAll((all) => all.map((one) => `${one.getAttribute("alt") ?? ""} ${one.getAttribute("src") ?? ""}`))
      .catch(String);
    return [`at ${this.page.url()}:`, await this.text(), "pictures:", ...pictures, "troubles:", ...this.troubles].join(
      "\n",
    );
  }

  private trouble(text: string): void {
    this.troubles.push(`${new Date().toISOString()} ${text}`);
    this.troubles.splice(0, this.troubles.length - LAST_TROUBLES);
  }

  /** All text that the page shows, frames included. */
  async text(): Promise<string> {
    const texts = this.page.frames().map((frame) =>
      frame
        .locator("body")
        .innerText({ timeout: 5000 })
        .catch(() => ""),
    );
    return (await Promise.all(texts)).join("\n");
  }

  /** A request with this person's cookies, as a page's own script would send it. Redirects are not followed. */
  async request(
    path: string,
    options: { method?: string; data?: unknown; form?: Record<string, string>; headers?: Record<string, string> } = {},
  ): Promise<{ status: number; text: string; headers: Record<string, string> }> {
    const answer = await this.context.request.fetch(path, { ...options, maxRedirects: 0, failOnStatusCode: false });
    return { status: answer.status(), text: await answer.text(), headers: answer.headers() };
  }

  /** This person's cookies, as a request's header. */
  async cookies(): Promise<string> {
    return (await this.context.cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
  }

  /** Keeps a picture below the folder that SCREENSHOTS names, for people to look at; without it, nothing. */
  async picture(name: string): Promise<void> {
    const folder = process.env["SCREENSHOTS"];
    if (!folder) return;
    mkdirSync(folder, { recursive: true });
    await this.page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
  }

  async leave(): Promise<void> {
    await this.context.close();
  }
}
