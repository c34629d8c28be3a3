// The request form over the list. What was typed stays for this page when it is closed; it leaves with the patient.
import type { Whose } from '../list/stream';
import { bindForm } from './form';

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface DrawerOptions {
  readonly whose: Whose;
  readonly list: string;
  /** Something was asked: the list should look again. */
  asked(): void;
  ended(): void;
}

export class Drawer {
  readonly #options: DrawerOptions;
  readonly #fetch: Fetch;
  readonly #drafts = new Map<string, HTMLElement>();
  #dialog: HTMLDialogElement | undefined;
  #opener: HTMLElement | undefined;
  #address = '';
  #sending = false;
  #over = false;

  constructor(options: DrawerOptions, fetcher: Fetch = (url, init) => fetch(url, init)) {
    this.#options = options;
    this.#fetch = fetcher;
  }

  /** Opens the form that a link leads to; without a drawer, or when it cannot be had, the link's own page. */
  async open(link: HTMLAnchorElement): Promise<void> {
    if (this.#over || this.#dialog?.open) return;
    this.#opener = link;
    this.#address = link.href;
    const draft = this.#drafts.get(link.href);
    if (draft) return this.#show(draft);
    const url = new URL(link.href);
    url.searchParams.set('bare', '1');
    link.setAttribute('aria-busy', 'true');
    try {
      const answer = await this.#fetch(url.href, { credentials: 'same-origin', cache: 'no-store' });
      if (answer.status === 401) return this.#options.ended();
      const form = answer.ok ? this.#read(await answer.text()) : null;
      if (form) this.#show(form);
      else location.assign(link.href);
    } catch {
      location.assign(link.href);
    } finally {
      link.removeAttribute('aria-busy');
    }
  }

  /** The session is over: nothing of the patient stays, typed or shown. */
  end(): void {
    this.#over = true;
    this.#drafts.clear();
    this.#dialog?.remove();
    this.#dialog = undefined;
  }

  /** Only a form of this very patient is shown. */
  #read(html: string): HTMLElement | null {
    const template = document.createElement('template');
    template.innerHTML = html.trim();
    const form = template.content.querySelector<HTMLFormElement>('form.rqform');
    if (!form || form.dataset['patient'] !== this.#options.whose.patient || this.#over) return null;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#send(form, event.submitter);
    });
    bindForm(form);
    return form;
  }

  #show(content: HTMLElement): void {
    const dialog = this.#dialog ?? this.#make();
    dialog.replaceChildren(content);
    // Below banner and strip: whom it is about stays in view.
    dialog.style.top = `${document.querySelector('.stripbox')?.getBoundingClientRect().bottom ?? 0}px`;
    if (!dialog.open) dialog.showModal();
    (content.querySelector<HTMLElement>('[data-problems]') ?? content.querySelector<HTMLElement>('.ft .btn-primary'))?.focus();
  }

  #make(): HTMLDialogElement {
    const dialog = document.createElement('dialog');
    dialog.className = 'drawer';
    dialog.setAttribute('aria-labelledby', 'rq-title');
    dialog.addEventListener('click', (event) => {
      const close = event.target instanceof Element ? event.target.closest('[data-close-drawer]') : null;
      if (event.target === dialog || close) {
        if (close) event.preventDefault();
        dialog.close();
      }
    });
    dialog.addEventListener('close', () => {
      const form = dialog.querySelector<HTMLElement>('form.rqform');
      if (form && !this.#over) this.#drafts.set(this.#address, form);
      dialog.replaceChildren();
      this.#opener?.focus();
    });
    document.body.append(dialog);
    this.#dialog = dialog;
    return dialog;
  }

  async #send(form: HTMLFormElement, submitter: HTMLElement | null): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    form.setAttribute('aria-busy', 'true');
    try {
      const body = new URLSearchParams();
      new FormData(form, submitter).forEach((value, name) => body.append(name, String(value)));
      const answer = await this.#fetch(form.action, { method: 'POST', body, credentials: 'same-origin', cache: 'no-store' });
      if (answer.status === 401) return this.#options.ended();
      const html = await answer.text();
      if (this.#over) return;
      if (answer.status === 400) {
        const again = this.#read(html);
        if (again) this.#show(again);
        else this.#say(form, 'That was not accepted. Nothing was sent.');
      } else if (answer.ok) this.#done(html);
      else this.#say(form, 'Priors could not take the request. It is not known whether it was sent; sending again asks nobody twice.');
    } catch {
      this.#say(form, 'The connection broke off. It is not known whether it was sent; sending again asks nobody twice.');
    } finally {
      this.#sending = false;
      form.removeAttribute('aria-busy');
    }
  }

  #done(html: string): void {
    const template = document.createElement('template');
    template.innerHTML = html.trim();
    const told = template.content.querySelector<HTMLElement>('.rqform');
    this.#drafts.delete(this.#address);
    if (told) {
      this.#dialog?.replaceChildren(told);
      told.focus();
    }
    this.#options.asked();
  }

  #say(form: HTMLFormElement, words: string): void {
    const line = form.querySelector<HTMLElement>('.ft p');
    if (!line) return;
    line.textContent = words;
    line.setAttribute('role', 'alert');
  }
}
