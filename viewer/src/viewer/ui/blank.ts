// The pane without a picture: while a study opens, and when it cannot be opened.
import type { ViewerFault } from '../transfer/gateway';
import { h, icon } from './dom';

export function busy(): HTMLElement {
  return h('div', 'v-root', {}, h('div', 'v-head'), h('div', 'v-tbar'),
    h('div', 'v-vp', {}, h('div', 'v-wait', {}, icon('load', 'v-i v-spin'), 'Opening')));
}

export function blank(fault: ViewerFault, again: (() => void) | undefined, close: () => void): HTMLElement {
  const button = (label: string, run: () => void): HTMLElement => {
    const element = h('button', 'v-btn', { type: 'button' }, label);
    element.addEventListener('click', run);
    return element;
  };
  return h('div', 'v-root', {}, h('div', 'v-blank', { role: 'alert' }, icon('warn', 'v-i v-i-l v-bad'),
    h('p', 'v-b', {}, fault.title), h('p', '', {}, fault.action), fault.reference ? h('p', 'v-dim', {}, `Reference ${fault.reference}`) : null,
    h('p', 'v-sacts', {}, again ? button('Try again', again) : null, fault.ended ? null : button('Close', close))));
}
